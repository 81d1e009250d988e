//! Policies: their C# compiled, and run beside their twin, by Mono where it is at hand.

mod csharp;
pub mod intents;
mod parity;

use std::path::PathBuf;
use std::process::Command;

/// The assembly that `JObject` comes from; nothing, after a line that says so, where Mono or it is not here. The tests that
/// need them fail under CI instead.
fn newtonsoft() -> Option<PathBuf> {
    let runs = |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    let assembly = PathBuf::from("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll");
    if runs("mcs") && runs("mono") && assembly.is_file() {
        return Some(assembly);
    }
    assert!(std::env::var_os("CI").is_none(), "install mono-mcs and libnewtonsoft-json5.0-cil");
    println!("skipped: mcs, mono or Newtonsoft.Json is not here (Debian: mono-mcs libnewtonsoft-json5.0-cil)");
    None
}
