//! Networks: `parseCidr`, `cidrSubnet`, `cidrHost`.

use super::{Args, Function, function};
use crate::expr::error::{EvalError, Fault};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[Function] = &[
    function("parseCidr", (1, 1), parse_cidr),
    function("cidrSubnet", (3, 3), cidr_subnet),
    function("cidrHost", (2, 2), cidr_host),
];

/// A network of either family: its first address, aligned, and how many bits are fixed of how many.
#[derive(Clone, Copy)]
struct Network {
    first: u128,
    fixed: u32,
    bits: u32,
}

impl Network {
    fn of(args: &Args) -> Result<Network, EvalError> {
        let text = args.text(0)?;
        let parsed = text.split_once('/').and_then(|(address, fixed)| {
            let address: IpAddr = address.parse().ok()?;
            let fixed: u32 = fixed.parse().ok()?;
            let (bits, number) = match address {
                IpAddr::V4(address) => (32, u128::from(u32::from(address))),
                IpAddr::V6(address) => (128, u128::from(address)),
            };
            let network = Network { first: 0, fixed, bits };
            (fixed <= bits).then(|| Network { first: number & !network.hosts(), ..network })
        });
        parsed.ok_or_else(|| args.wrong_value(&format!("expects an address range in CIDR notation, not '{text}'")))
    }

    /// The bits that are not fixed.
    fn hosts(self) -> u128 {
        match self.bits - self.fixed {
            128 => u128::MAX,
            free => (1 << free) - 1,
        }
    }

    fn last(self) -> u128 {
        self.first | self.hosts()
    }

    fn shown(self, address: u128) -> String {
        match self.bits {
            32 => Ipv4Addr::from(address as u32).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    fn mask(self) -> u128 {
        let all = if self.bits == 32 { u128::from(u32::MAX) } else { u128::MAX };
        all & !self.hosts()
    }
}

fn parse_cidr(args: &Args) -> Result<Value, EvalError> {
    let network = Network::of(args)?;
    // of IPv4 the first address names the network and the last is for all; a pair and a single address have only hosts
    let inner = u128::from(network.bits == 32 && network.fixed < 31);
    let mut out = json!({
        "network": network.shown(network.first),
        "netmask": network.shown(network.mask()),
        "firstUsable": network.shown(network.first + inner),
        "lastUsable": network.shown(network.last() - inner),
        "cidr": network.fixed,
    });
    if network.bits == 32 {
        out["broadcast"] = network.shown(network.last()).into();
    }
    Ok(out)
}

fn cidr_subnet(args: &Args) -> Result<Value, EvalError> {
    let network = Network::of(args)?;
    let (fixed, index) = (args.int(1)?, args.int(2)?);
    let fixed =
        u32::try_from(fixed).ok().filter(|fixed| (network.fixed..=network.bits).contains(fixed)).ok_or_else(|| {
            let words = format!("expects a prefix from {} to {}, not '{fixed}'", network.fixed, network.bits);
            args.wrong_value(&words)
        })?;
    let subnet = Network { fixed, ..network };
    // how many there are is 2 to the power of the bits gained
    let at = u128::try_from(index).ok().filter(|index| index.checked_shr(fixed - network.fixed).unwrap_or(0) == 0);
    let at = at.ok_or_else(|| args.error(Fault::Range, &format!("expects the index of a subnet, not '{index}'")))?;
    let first = network.first | at.checked_shl(network.bits - fixed).unwrap_or(0);
    Ok(format!("{}/{fixed}", subnet.shown(first)).into())
}

/// The addresses that hosts can have: of IPv6 all but the first, of IPv4 neither the first nor the last; of a pair both.
fn cidr_host(args: &Args) -> Result<Value, EvalError> {
    let network = Network::of(args)?;
    let index = args.int(1)?;
    let out_of_range = || args.error(Fault::Range, &format!("expects the index of a usable host, not '{index}'"));
    let pair = network.bits - network.fixed == 1;
    let first = if pair { network.first } else { network.first.checked_add(1).ok_or_else(out_of_range)? };
    let last = if network.bits == 32 && !pair { network.last().saturating_sub(1) } else { network.last() };
    let host = u128::try_from(index).ok().and_then(|index| first.checked_add(index)).filter(|host| *host <= last);
    // a single address has no host
    let host = host.filter(|_| network.fixed < network.bits).ok_or_else(out_of_range)?;
    Ok(network.shown(host).into())
}
