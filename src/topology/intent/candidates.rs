//! What a policy that picks by itself picks from, and in which order.

use super::{Candidate, Intent};
use crate::time::Duration;

/// How long a member that failed is left alone where it does not say for how long.
///
/// Source: Azure-Samples/openai-apim-lb, the policy's own default.
pub const AWAY: Duration = Duration::from_secs(10);

/// How long the internal cache keeps the count of turns; who calls more seldom begins anew.
pub const TURNS_KEPT: Duration = Duration::from_secs(86_400);

/// Those of a pool's candidates that get calls, with the weights that they get them by: one of weight 0 gets none,
/// unless every weight of its priority is 0: then they share equally.
pub fn eligible(candidates: &[Candidate]) -> Vec<Candidate> {
    let idle = |priority| candidates.iter().filter(|c| c.priority == priority).all(|c| c.weight == 0);
    let weighted = |candidate: &Candidate| {
        let weight = if idle(candidate.priority) { 1 } else { candidate.weight };
        (weight > 0).then(|| Candidate { weight, ..candidate.clone() })
    };
    candidates.iter().filter_map(weighted).collect()
}

/// Whose turn it is, over a whole cycle, as places in `eligible`: smooth weighted round robin, as nginx does it, after
/// the weights are divided by what divides them all.
pub fn turns(eligible: &[Candidate]) -> Vec<usize> {
    let divisor = eligible.iter().fold(0, |divisor, candidate| gcd(divisor, candidate.weight)).max(1);
    let weights: Vec<i32> = eligible.iter().map(|candidate| i32::from(candidate.weight / divisor)).collect();
    let sum: i32 = weights.iter().sum();
    let mut owed = vec![0; weights.len()];
    let turn = |_| {
        owed.iter_mut().zip(&weights).for_each(|(owed, weight)| *owed += weight);
        // the first of equals
        let best = (0..owed.len()).rev().max_by_key(|&at| owed[at])?;
        owed[best] -= sum;
        Some(best)
    };
    (0..sum).filter_map(turn).collect()
}

const fn gcd(a: u8, b: u8) -> u8 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Intent {
    /// How long a member that failed is left alone: as long as it asks, at most `maxRetryAfter`.
    ///
    /// The cap is on purpose. Azure OpenAI is known to ask for a day; a member would be lost for as long, and the
    /// Retry-After that callers get, which has the same cap, would be a lie. It costs one refused attempt in that time.
    pub fn away(&self, wait: Option<Duration>) -> Duration {
        wait.unwrap_or(AWAY).min(self.on_exhausted.max_retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Routes;

    fn candidates(weights: &[(u8, u8)]) -> Vec<Candidate> {
        let candidate = |(at, &(priority, weight)): (usize, &(u8, u8))| {
            let backend = char::from(b'a' + at as u8).to_string();
            Candidate { backend, priority, weight, credential: None }
        };
        weights.iter().enumerate().map(candidate).collect()
    }

    #[test]
    fn turns_are_smooth_and_short() {
        let order = |weights: &[u8]| {
            let weights: Vec<(u8, u8)> = weights.iter().map(|&weight| (1, weight)).collect();
            let letter = |at| char::from(b'a' + at as u8);
            turns(&eligible(&candidates(&weights))).into_iter().map(letter).collect::<String>()
        };
        assert_eq!(order(&[5, 1, 1]), "aabacaa");
        assert_eq!(order(&[50, 50]), "ab");
        assert_eq!(order(&[10, 20]), "bab");
        assert_eq!(order(&[1, 1, 1]), "abc");
        assert_eq!((order(&[]), order(&[7]), order(&[0, 0])), (String::new(), "a".into(), "ab".into()));
        assert_eq!(order(&[0, 3]), "a", "the place among those that get calls");
        let long = order(&[100, 99, 98]);
        assert_eq!((long.matches('a').count(), long.len()), (100, 297));
    }

    #[test]
    fn weight_zero_gets_nothing_unless_its_whole_priority_has_it() {
        let left = |weights| {
            let found = eligible(&candidates(weights)).into_iter();
            found.map(|c| format!("{}{}{}", c.backend, c.priority, c.weight)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left(&[(1, 0), (1, 3), (2, 0), (2, 0)]), "b13 c21 d21");
    }

    #[test]
    fn nobody_is_away_for_longer_than_callers_are_told() {
        let intent = Intent::new(Routes::All("p".into()));
        let away = |secs: Option<u64>| intent.away(secs.map(Duration::from_secs)).to_string();
        assert_eq!((away(None), away(Some(3)), away(Some(86_400))), ("10s".into(), "3s".into(), "1m".into()));
    }
}
