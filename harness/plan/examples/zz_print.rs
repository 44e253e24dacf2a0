#![allow(missing_docs, clippy::unwrap_used)]
use farcall_scenario::*;
fn main() {
    let name = std::env::args().nth(1).unwrap();
    let ice = std::env::args().nth(2).unwrap_or("with-tls".into());
    let s = Scenario::load(format!("scenarios/{name}.toml").as_ref()).unwrap();
    let i = IceConfiguration::load(format!("ice/{ice}.json").as_ref()).unwrap();
    println!("{}", farcall_plan::plan(&s, &i, 1).unwrap());
}
