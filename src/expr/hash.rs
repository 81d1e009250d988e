//! `uniqueString` and `guid`: names made from other names.

use uuid::Uuid;

/// The name space of the function `guid`.
const NAMESPACE: Uuid = Uuid::from_u128(0x11fb06fb_712d_4ddd_98c7_e71bbd588830);

/// The function `uniqueString`: 13 letters and digits made from the parts, joined with `-`.
pub fn unique_string(parts: &[&str]) -> String {
    let hash = murmur(parts.join("-").as_bytes());
    // five bits a character from the top; the last has only four of its own
    (0..13).map(|i| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[((hash << (5 * i)) >> 59) as usize])).collect()
}

/// The function `guid`: a version 5 UUID of the parts, joined with `-`.
pub fn guid(parts: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, parts.join("-").as_bytes()).to_string()
}

/// MurmurHash3 with two lanes of 32 bits, as Azure has it: the tail is mixed in without a turn of the lanes.
fn murmur(bytes: &[u8]) -> u64 {
    const C1: u32 = 0x239b_961b;
    const C2: u32 = 0xab0e_9789;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, &byte| word << 8 | u32::from(byte));
    let mix1 = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mix2 = |k: u32| k.wrapping_mul(C2).rotate_left(17).wrapping_mul(C1);
    let (mut h1, mut h2) = (0u32, 0u32);

    let blocks = bytes.chunks_exact(8);
    let tail = blocks.remainder();
    for block in blocks {
        h1 ^= mix1(word(&block[..4]));
        h1 = h1.rotate_left(19).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x561c_cd1b);
        h2 ^= mix2(word(&block[4..]));
        h2 = h2.rotate_left(13).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    let (low, high) = tail.split_at(tail.len().min(4));
    h1 ^= mix1(word(low));
    h2 ^= mix2(word(high));

    // the length of a name fits in 32 bits; a longer text only loses the upper half of its length here
    let length = bytes.len() as u32;
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    u64::from(h2) << 32 | u64::from(h1)
}

const fn finish(mut h: u32) -> u32 {
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_strings_are_azures() {
        assert_eq!(unique_string(&["hello", "world"]), "a7wkljktk6wne");
        assert_eq!(unique_string(&["tyeth"]), "zcztcwvu6iyg6");
    }

    #[test]
    fn unique_strings_always_have_13_characters_and_no_parts_hash_to_zero() {
        assert_eq!(unique_string(&[]), "aaaaaaaaaaaaa");
        let all: Vec<String> = (0..40).map(|n| unique_string(&["x".repeat(n).as_str()])).collect();
        assert!(
            all.iter()
                .all(|text| text.len() == 13
                    && text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)))
        );
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 40);
    }

    #[test]
    fn guids_are_version_5() {
        assert_eq!(guid(&["contoso", "ai", "role"]), "72f715aa-773e-5f99-93eb-78762cb2b8e5");
        assert_eq!(guid(&["gateway"]), "4af243e4-7a1f-56fd-96b8-986da5664414");
        assert_ne!(guid(&["a-b"]), guid(&["a", "c"]));
        assert_eq!(guid(&["a-b"]), guid(&["a", "b"]));
    }
}
