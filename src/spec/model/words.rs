//! Values of the spec that are one word, or one of two forms.

use super::super::{Rotation, formats};
use crate::time;
use crate::topology::intent::{LimitBy, Period};
use crate::topology::{AccountKind, DeploymentSku, GatewaySku, NetworkMode, StatusRange, Strategy, VersionUpgrade};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{BoolDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// One of a fixed set of words.
#[derive(Clone, Copy)]
pub struct Word<T>(pub T);

/// A fixed set of words.
pub trait Words: Copy + 'static {
    /// Its name in the schema.
    const NAME: &'static str;
    /// Every word with what it means.
    fn all() -> Vec<(&'static str, Self)>;
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = T::all().into_iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| Word(value)).ok_or_else(|| de::Error::custom("no such word"))
    }
}

impl<T: Words> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::all().into_iter().map(|(word, _)| word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(
            #[doc = concat!("`", $word, "`")]
            $variant
        ),+ }
        impl Words for $name {
            const NAME: &'static str = stringify!($name);
            fn all() -> Vec<(&'static str, $name)> {
                vec![$(($word, $name::$variant)),+]
            }
        }
    )*};
}

words! {
    /// How the gateway's identity gets its roles.
    Roles { Manage = "manage", Check = "check", Print = "print" }
    /// The identity that calls the models.
    OwnIdentity { System = "system" }
    /// What callers can call.
    Surface { Deployments = "deployments", V1 = "v1" }
    /// Where an API's operations come from.
    Table { Operations = "operations", CatchAll = "catch-all" }
}

/// Words of a type of the domain, each as it spells itself.
macro_rules! spelt {
    ($($name:ident: $all:expr, $word:ident;)*) => {$(
        impl Words for $name {
            const NAME: &'static str = stringify!($name);
            fn all() -> Vec<(&'static str, $name)> {
                $all.into_iter().map(|value| (value.$word(), value)).collect()
            }
        }
    )*};
}

spelt! {
    GatewaySku: GatewaySku::ALL, as_str;
    DeploymentSku: DeploymentSku::ALL, as_str;
    AccountKind: [AccountKind::OpenAI, AccountKind::AIServices], as_str;
    NetworkMode: [NetworkMode::External, NetworkMode::Internal], as_str;
    Period: Period::ALL, as_str;
    Strategy: [Strategy::Pool, Strategy::Smart, Strategy::RoundRobin], word;
    VersionUpgrade: [
        VersionUpgrade::NoAutoUpgrade,
        VersionUpgrade::OnceCurrentVersionExpired,
        VersionUpgrade::OnceNewDefaultVersionAvailable,
    ], as_str;
}

impl Words for LimitBy {
    const NAME: &'static str = "LimitBy";
    fn all() -> Vec<(&'static str, LimitBy)> {
        vec![("subscription", LimitBy::Subscription), ("pool", LimitBy::Pool)]
    }
}

impl Words for Rotation {
    const NAME: &'static str = "Rotation";
    fn all() -> Vec<(&'static str, Rotation)> {
        vec![("smooth", Rotation::Smooth), ("random", Rotation::Random)]
    }
}

/// A length of time: `PT1M`, `60s`.
#[derive(Clone, Copy)]
pub struct Length(pub time::Duration);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
        let text = String::deserialize(deserializer)?;
        time::Duration::parse(&text).map(Length).ok_or_else(|| de::Error::custom("no length of time"))
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": formats::DURATION })
    }
}

/// One or several statuses: `429`, `500-503`, `5xx`. As written: `min` may be above `max`.
#[derive(Clone, Copy)]
pub struct Statuses(pub StatusRange);

impl Statuses {
    /// Reads `500-503`, `5xx` and `429`.
    pub fn parse(text: &str) -> Option<StatusRange> {
        let status = |digits: &str| {
            let three = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|status| three && (200..600).contains(status))
        };
        if let Some(hundred) = text.strip_suffix("xx") {
            let min = status(&format!("{hundred}00"))?;
            return Some(StatusRange { min, max: min + 99 });
        }
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        Some(StatusRange { min: status(min)?, max: status(max)? })
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Statuses, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status or a range of them")
            }
            fn visit_u64<E: de::Error>(self, status: u64) -> Result<Statuses, E> {
                self.visit_str(&status.to_string())
            }
            fn visit_i64<E: de::Error>(self, status: i64) -> Result<Statuses, E> {
                self.visit_str(&status.to_string())
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
                Statuses::parse(text).map(Statuses).ok_or_else(|| E::custom("no status"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 200, "maximum": 599 },
            { "type": "string", "pattern": formats::STATUSES },
        ] })
    }
}

/// A word, or a mapping. What stands there decides, not trying one after the other, so errors have a place.
#[derive(Clone)]
pub enum Either<W, M> {
    /// A text, `true` or `false`.
    Word(W),
    /// A mapping.
    Map(M),
}

impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for Either<W, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Either<W, M>, D::Error> {
        struct Either2<W, M>(PhantomData<(W, M)>);
        impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for Either2<W, M> {
            type Value = Either<W, M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a mapping")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Either<W, M>, E> {
                W::deserialize(StrDeserializer::new(text)).map(Either::Word)
            }
            fn visit_bool<E: de::Error>(self, word: bool) -> Result<Either<W, M>, E> {
                W::deserialize(BoolDeserializer::new(word)).map(Either::Word)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Either<W, M>, A::Error> {
                M::deserialize(MapAccessDeserializer::new(map)).map(Either::Map)
            }
        }
        deserializer.deserialize_any(Either2(PhantomData))
    }
}

impl<W: JsonSchema, M: JsonSchema> JsonSchema for Either<W, M> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", W::schema_name(), M::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (word, map) = (generator.subschema_for::<W>(), generator.subschema_for::<M>());
        json_schema!({ "anyOf": [word, map] })
    }
}
