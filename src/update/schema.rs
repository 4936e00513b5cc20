//! The JSON Schemas of texts with a fixed form: dates, times, and the spellings of the domain. Pure; nothing here can
//! fail.
//!
//! The types stand for text fields in `#[schemars(with = "…")]` if the type of the field has no schema. The schema of
//! written documents has a strict pattern. The schema of read documents has no pattern, because readers accept other
//! spellings, too.

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

/// Returns the schema of a text of the domain; the pattern is added for written documents only.
pub(crate) fn pattern_schema(generator: &SchemaGenerator, about: &str, pattern: &str) -> Schema {
    let mut schema = json_schema!({ "type": "string", "description": about });
    if generator.contract().is_serialize() {
        schema.insert("pattern".to_owned(), pattern.into());
    }
    schema
}

/// Returns the schema of a text from a list of words; the list is added for written documents only.
pub(crate) fn words_schema(generator: &SchemaGenerator, about: &str, words: &[&str]) -> Schema {
    let mut schema = json_schema!({ "type": "string", "description": about });
    if generator.contract().is_serialize() {
        schema.insert("enum".to_owned(), words.into());
    }
    schema
}
