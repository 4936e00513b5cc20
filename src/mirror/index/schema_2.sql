-- Format 2. The latest update of a kind, and the servicing stacks of a family, are found without a full table
-- scan.
CREATE INDEX updates_by_kind ON updates (kind) WHERE kind IS NOT NULL;
