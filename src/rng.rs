//! Chance as a function: `draw(seed, stream, request, attempt)` is 64 random bits, always the same for the same
//! arguments.
//!
//! A draw is not the next of a sequence, so adding one somewhere changes no other: two variants of a system can be
//! compared under the same chance, request by request, and no order of events can change an outcome. Each purpose has a
//! [`Stream`] of its own.
//!
//! The mixer is three rounds of the SplitMix64 finaliser (Steele, Lea, Flood 2014; constants of variant 13), one for
//! each of stream, request and attempt. It is pinned by vectors below: changing it changes every report of every seed.
//!
//! Deliberately absent: state, and any source of entropy. Keys and tokens come from the operating system, in `io`.

/// What a draw is for. Numbers are part of the pinned function: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Which member a pool picks, where its rotation is random.
    Pick = 1,
    /// Which gateway instance a request meets.
    Instance = 2,
    /// When a generated request arrives.
    Arrival = 3,
    /// How many tokens it brings and wants.
    Lengths = 4,
    /// How long a backend takes.
    Latency = 5,
    /// Whether and how a backend fails.
    Fault = 6,
    /// How long a client backs off.
    Backoff = 7,
    /// Which caller a request belongs to.
    Caller = 8,
}

/// 64 random bits for one purpose of one attempt of one request.
#[inline]
pub const fn draw(seed: u64, stream: Stream, request: u64, attempt: u32) -> u64 {
    let a = mix(seed ^ (stream as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let b = mix(a.wrapping_add(request.wrapping_mul(0xd1b5_4a32_d192_ed03)));
    mix(b.wrapping_add((attempt as u64 + 1).wrapping_mul(0x8cb9_2ba7_2f3d_8dd7)))
}

#[inline]
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The draws of one request.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    /// The seed of the run.
    pub seed: u64,
    /// The number of the request, counted from zero.
    pub request: u64,
}

impl Draws {
    /// 64 random bits for `stream` at `attempt` (zero for what happens once a request).
    #[inline]
    pub const fn get(self, stream: Stream, attempt: u32) -> u64 {
        draw(self.seed, stream, self.request, attempt)
    }
}

/// A number in `0..n` from 64 random bits, without the bias of a remainder that a person could measure; zero for `n = 0`.
#[inline]
pub const fn below(bits: u64, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_pinned() {
        let got = [
            draw(0, Stream::Pick, 0, 0),
            draw(1, Stream::Pick, 0, 0),
            draw(1, Stream::Latency, 0, 0),
            draw(1, Stream::Latency, 7, 0),
            draw(1, Stream::Latency, 7, 3),
            draw(u64::MAX, Stream::Caller, u64::MAX, u32::MAX),
        ];
        expect_test::expect![[r#"
            bef53b97d245d00f
            5505479cc2add03e
            4f5de4309f5c32bc
            c640990207c1a656
            1f88a845c5019614
            9483e442c0190a98"#]]
        .assert_eq(&got.map(|x| format!("{x:016x}")).join("\n"));
    }

    #[test]
    fn bits_are_balanced_and_streams_apart() {
        let n = 20_000u64;
        let mut ones = [0u32; 64];
        let mut same = 0;
        for request in 0..n {
            let bits = draw(42, Stream::Pick, request, 0);
            (0..64).for_each(|i| ones[i] += (bits >> i & 1) as u32);
            same += u32::from(below(bits, 256) == below(draw(42, Stream::Fault, request, 0), 256));
        }
        // five standard deviations of a fair coin, and of one match in 256
        assert!(ones.iter().all(|&k| k.abs_diff(10_000) < 354), "{ones:?}");
        assert!(same.abs_diff(78) < 45, "{same}");
    }

    #[test]
    fn below_stays_below() {
        assert_eq!((below(u64::MAX, 7), below(0, 7), below(9, 0)), (6, 0, 0));
        assert_eq!(below(1 << 63, 1_000), 500, "halfway is the middle");
    }
}
