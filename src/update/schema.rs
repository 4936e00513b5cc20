//! The JSON Schemas of texts with a form: dates, times, and the domain's own spellings. Pure; nothing here can fail.
//!
//! The types stand for text fields in `#[schemars(with = "…")]`, where the field's own type has no schema. What is written
//! has a strict schema with a pattern; what is read accepts other spellings too, so that its schema has none.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The schema of a date, `2026-11-23`.
#[derive(Debug)]
pub enum DateText {}

/// The schema of a time, RFC 3339.
#[derive(Debug)]
pub enum TimeText {}

impl JsonSchema for DateText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

impl JsonSchema for TimeText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Returns the schema of a text of the domain; its pattern holds for what is written.
pub(crate) fn pattern_schema(generator: &SchemaGenerator, about: &str, pattern: &str) -> Schema {
    let mut schema = json_schema!({ "type": "string", "description": about });
    if generator.contract().is_serialize() {
        schema.insert("pattern".to_owned(), pattern.into());
    }
    schema
}

/// Returns the schema of a text that is one of some words; the list holds for what is written.
pub(crate) fn words_schema(generator: &SchemaGenerator, about: &str, words: &[&str]) -> Schema {
    let mut schema = json_schema!({ "type": "string", "description": about });
    if generator.contract().is_serialize() {
        schema.insert("enum".to_owned(), words.into());
    }
    schema
}
