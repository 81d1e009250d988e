//! What an expression asks for where it stands.

use super::{At, fault};
use crate::expr::{self, Context, EvalError, View};
use crate::template::lint::json::{Json, Node};
use serde_json::{Value, json};

impl Context for At<'_, '_> {
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError> {
        self.known("parameters", name, |at| {
            if let Some(given) = at.own.given.get(&name.to_lowercase()) {
                return Ok(given.clone());
            }
            let definition = at.own.template.get("parameters").and_then(|all| all.get(name));
            let definition = definition.ok_or_else(|| fault(format!("there is no parameter `{name}`")))?;
            if let Some(default) = definition.get("defaultValue") {
                return Ok(at.value(default));
            }
            let is = |member: &str, word: &str| {
                definition.get(member).and_then(Node::text).is_some_and(|text| text.eq_ignore_ascii_case(word))
            };
            if matches!(definition.get("nullable").map(|node| &node.value), Some(Json::Bool(true))) {
                return Ok(Value::Null);
            }
            let reason = format!("the parameter `{name}` has no value");
            if is("type", "string") || is("type", "securestring") {
                return Ok(at.all.unknown(reason).into());
            }
            Err(fault(reason))
        })
    }

    fn variable(&mut self, name: &str) -> Result<Value, EvalError> {
        self.known("variables", name, |at| {
            let variables = at.own.template.get("variables");
            if let Some(node) = variables.and_then(|all| all.get(name)) {
                return Ok(at.value(node));
            }
            let copies = variables.and_then(|all| all.get("copy")).map(Node::items).unwrap_or_default();
            let mut made = copies.iter().filter_map(|each| at.looped(each));
            let found = made.find(|(made, _)| expr::same(made, name));
            found.map(|(_, value)| value).ok_or_else(|| fault(format!("there is no variable `{name}`")))
        })
    }

    fn subscription(&mut self) -> Result<Value, EvalError> {
        let id = &self.own.place.subscription;
        Ok(json!({ "id": format!("/subscriptions/{id}"), "subscriptionId": id, "tenantId": TENANT }))
    }

    fn resource_group(&mut self) -> Result<Value, EvalError> {
        let place = &self.own.place;
        let group = place.group.as_ref().ok_or_else(|| EvalError::misplaced("resourceGroup"))?;
        Ok(json!({ "id": place.id(), "name": group, "location": self.location(), "tags": {} }))
    }

    fn deployment(&mut self) -> Result<Value, EvalError> {
        Ok(json!({ "name": "import", "location": self.location(), "properties": {} }))
    }

    fn tenant(&mut self) -> Result<Value, EvalError> {
        Ok(json!({ "tenantId": TENANT }))
    }

    fn copy_index(&mut self, name: Option<&str>) -> Result<i64, EvalError> {
        let wanted = |(of, _): &&(String, i64)| name.is_none_or(|name| name.eq_ignore_ascii_case(of));
        let found = self.copies.iter().rev().find(wanted);
        found.map(|(_, turn)| *turn).ok_or_else(|| EvalError::misplaced("copyIndex"))
    }

    fn reference(&mut self, target: &str, _: Option<&str>, view: View) -> Result<Value, EvalError> {
        let _held = self.all.enter(8)?;
        let shown = self.shown(target).ok_or_else(|| fault("what `reference` shows is known only in Azure"))?;
        Ok(match view {
            View::Full => shown,
            View::Properties => shown.get("properties").cloned().unwrap_or(Value::Null),
        })
    }
}

/// The tenant, which nothing that is read depends on.
const TENANT: &str = "00000000-0000-0000-0000-00000000007e";

impl At<'_, '_> {
    fn location(&self) -> String {
        match self.all.options.location {
            Some(location) => location.to_owned(),
            None => self.all.unknown("the region of the resource group is not given".into()),
        }
    }
}
