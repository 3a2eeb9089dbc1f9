//! Makes one photo's stored form and nothing else, so that a process's time and memory can be compared with another
//! program's: see `tools/bench-photo`.
//!
//!     photo make FILE [WIDTH HEIGHT]   writes the picture that is measured with
//!     photo store FILE OUT             reads FILE, writes its stored form to OUT

#![allow(unreachable_pub, reason = "the scene is shared with the benchmark")]

mod scene;

use std::error::Error;

use tallyman::io::photos::{PhotoConfig, stored_form};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", file] => std::fs::write(file, scene::photo(scene::WIDTH, scene::HEIGHT)?)?,
        ["make", file, width, height] => std::fs::write(file, scene::photo(width.parse()?, height.parse()?)?)?,
        ["store", file, out] => std::fs::write(out, stored_form(std::fs::read(file)?, &PhotoConfig::default())?)?,
        _ => return Err("photo make FILE [WIDTH HEIGHT], or photo store FILE OUT".into()),
    }
    Ok(())
}
