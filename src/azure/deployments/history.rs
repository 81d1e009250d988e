//! The history of deployments: its pages, and how much of it is kept.

use super::{Deployment, Order, base, body};
use crate::azure::World;
use crate::azure::engine::Target;
use crate::azure::reply::{Reply, gateway};
use crate::azure::router::Ask;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// How many deployments a group keeps, or a subscription in one location; when the oldest begin to go, and until when
/// (Microsoft, "Automatic deletions from deployment history").
const MOST: usize = 800;
const CROWDED: usize = 775;
const COMFORTABLE: usize = 750;

/// Recorded: a subscription is looked through piece by piece, and a piece with nothing in it is an empty page.
const PIECES: u8 = 5;

/// Where a list goes on.
struct Position {
    piece: u8,
    offset: usize,
}

impl Position {
    fn read(token: &str) -> Option<Position> {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (piece, offset) = text.strip_prefix("deployments:")?.split_once(':')?;
        let position = Position { piece: piece.parse().ok()?, offset: offset.parse().ok()? };
        (position.piece < PIECES).then_some(position)
    }

    fn write(&self) -> String {
        STANDARD.encode(format!("deployments:{}:{}", self.piece, self.offset))
    }
}

/// One page of the deployments of a group or a subscription, what changed last first.
pub(super) fn list(world: &World, ask: &Ask<'_>, target: &Target) -> Reply {
    let refuse =
        |code: &str, what: &str, value: &str| gateway(400, code, format!("Invalid {what} '{value}' specified."));
    let filter = ask.url.query("$filter").unwrap_or("");
    let words: Vec<&str> = filter.split_whitespace().collect();
    let wanted = match words.as_slice() {
        [] => None,
        [name, "eq", word] if name.eq_ignore_ascii_case("provisioningState") => {
            match word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')) {
                Some(word) => Some(word),
                None => return refuse("InvalidFilterInQueryString", "$filter", filter),
            }
        }
        _ => return refuse("InvalidFilterInQueryString", "$filter", filter),
    };
    let top = match ask.url.query("$top").map(|top| (top, top.parse::<usize>())) {
        None => usize::MAX,
        Some((_, Ok(top))) if top > 0 => top,
        Some((top, _)) => return refuse("InvalidTopInQueryString", "$top", top),
    };
    let position = match ask.url.query("$skiptoken").map(|token| (token, Position::read(token))) {
        None => Position { piece: 0, offset: 0 },
        Some((_, Some(position))) => position,
        Some((token, None)) => return refuse("InvalidSkipToken", "$skiptoken", token),
    };
    let pieces = if target.resource_group.is_some() { 1 } else { PIECES };
    let mut found: Vec<&Deployment> = all(world, target)
        .filter(|deployment| wanted.is_none_or(|word| word.eq_ignore_ascii_case(deployment.state.word())))
        .filter(|deployment| pieces == 1 || world.hash(&["piece", &deployment.id])[0] % pieces == position.piece)
        .collect();
    found.sort_by_key(|deployment| std::cmp::Reverse(deployment.changed));
    let end = position.offset.saturating_add(top);
    let next = match () {
        () if end < found.len() => Some(Position { offset: end, ..position }),
        () if position.piece + 1 < pieces => Some(Position { piece: position.piece + 1, offset: 0 }),
        () => None,
    };
    let page = found.into_iter().skip(position.offset).take(top);
    let value: Value = page.map(|deployment| body(world, deployment, &ask.version)).collect();
    let mut answer = Map::new();
    if let Some(next) = next {
        answer.insert("nextLink".into(), link(world, ask, target, &next).into());
    }
    answer.insert("value".into(), value);
    Reply::json(200, Value::Object(answer))
}

/// The address of the next page. Its percent escapes are in lower case, as recorded.
fn link(world: &World, ask: &Ask<'_>, target: &Target, next: &Position) -> String {
    let kept = ask.url.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"));
    let mut query: Vec<String> = kept.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    query.push(format!("%24skiptoken={}", escaped(&next.write())));
    format!("{}{}/providers/Microsoft.Resources/deployments/?{}", world.origin, base(target), query.join("&"))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// The deployments that stand at a target itself.
fn all<'a>(world: &'a World, target: &'a Target) -> impl Iterator<Item = &'a Deployment> {
    let under = format!("{}/providers/microsoft.resources/deployments/", base(target).to_lowercase());
    let start = under.clone();
    let range = world.state.deployments.range(start..);
    range.take_while(move |(key, _)| key.starts_with(&under)).map(|(_, deployment)| deployment)
}

/// Makes room for one more deployment, or refuses it: what runs is not taken out.
pub(super) fn make_room(world: &mut World, order: &Order<'_>) -> Option<Reply> {
    let location = order.location();
    let here = |world: &World| -> Vec<(crate::time::Time, String, bool)> {
        let same = all(world, order.target).filter(|deployment| deployment.location == location);
        same.map(|one| (one.changed, one.id.to_lowercase(), one.state.is_active())).collect()
    };
    let mut kept = here(world);
    if kept.len() >= CROWDED {
        kept.sort();
        let excess = kept.len() - COMFORTABLE;
        let gone: Vec<String> = kept.iter().filter(|(_, _, active)| !active).map(|(_, key, _)| key.clone()).collect();
        for key in gone.into_iter().take(excess) {
            world.state.deployments.remove(&key);
        }
        kept = here(world);
    }
    if kept.len() < MOST {
        return None;
    }
    let message = format!(
        "Creating the deployment '{}' would exceed the quota of '{MOST}'. The current deployment count is '{}', please delete some deployments before creating a new one. Please see https://aka.ms/arm-deploy for usage details.",
        order.name,
        kept.len()
    );
    Some(gateway(409, "DeploymentQuotaExceeded", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_and_others_are_refused() {
        let token = Position { piece: 3, offset: 17 }.write();
        let read = Position::read(&token).map(|position| (position.piece, position.offset));
        assert_eq!(read, Some((3, 17)));
        for wrong in ["", "x", "%%%", &STANDARD.encode("deployments:9:0"), &STANDARD.encode("deployments:1:-1")] {
            assert!(Position::read(wrong).is_none(), "{wrong}");
        }
        assert_eq!(escaped("a+/=$ b"), "a%2b%2f%3d%24%20b");
    }
}
