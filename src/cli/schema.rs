//! `schema`: the JSON Schema of the spec.

use super::context::Context;
use super::{Done, Result};
use crate::spec;
use serde_json::json;

pub(super) fn run(context: &Context) -> Result {
    let schema = spec::schema();
    context.text(&format!("{schema:#}\n"))?;
    Ok(Done::new(json!({ "schema": schema })))
}
