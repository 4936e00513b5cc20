-- Format 2. The latest update of a kind, and the servicing stacks of a family, are found without reading every update.
CREATE INDEX updates_by_kind ON updates (kind) WHERE kind IS NOT NULL;
