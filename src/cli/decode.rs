//! `tallyman decode`: what a label says, and what GS1's rules think of it.

use std::io::{BufRead, Read};
use std::sync::Arc;

use crate::domain::decode::aim;
use crate::domain::decode::rewrite::Rewrite;
use crate::domain::visible::{visible, visible_bytes};
use crate::io::clock;
use crate::wire::decode_v1::DecodedV1;

use super::{ConfigArg, Failure, say};

/// No code is longer; a longer line is cut, and the lines behind it are still read.
const MAX_LINE: u64 = 64 * 1024;
/// How people write the separator that they can't type.
const WRITTEN_GS: [&str; 6] = ["<GS>", "{GS}", "<FNC1>", "{FNC1}", "\\x1d", "\\u001d"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Codes to look at; without any, one a line is read from standard input. Write <GS> for the group separator
    codes: Vec<String>,
    /// Read one JSON string a line (GS is \u001d), print one JSON object a line
    #[arg(long)]
    json: bool,
    /// A dry run of this scanner's rewriting rules, from the configuration
    #[arg(long, value_name = "NAME")]
    scanner: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let rules = match &args.scanner {
        Some(name) => rules_of(&args.config, name)?,
        None => Arc::default(),
    };
    if !args.codes.is_empty() {
        return args.codes.iter().try_for_each(|code| answer(code.as_bytes(), args.json, &rules));
    }
    let mut input = std::io::stdin().lock();
    while let Some(line) = next_line(&mut input)? {
        answer_line(&line, args.json, &rules)?;
    }
    Ok(())
}

fn rules_of(config: &ConfigArg, name: &str) -> Result<Arc<Rewrite>, Failure> {
    let config = config.load()?;
    let known: Vec<&str> = config.scanners.iter().map(|scanner| scanner.name.as_str()).collect();
    match config.scanners.iter().find(|scanner| scanner.name == name) {
        Some(scanner) => Ok(scanner.rewrite.clone()),
        None => {
            Err(Failure::other(format!("no scanner is called {name:?}; the configuration has: {}", known.join(", "))))
        }
    }
}

/// The next line without its end, cut at [`MAX_LINE`]; nothing at the end of the input.
fn next_line(input: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(Some(line))
}

fn answer_line(line: &[u8], json: bool, rules: &Rewrite) -> Result<(), Failure> {
    if !json {
        return if line.is_empty() { Ok(()) } else { answer(line, false, rules) };
    }
    match serde_json::from_slice::<String>(line) {
        Ok(code) => answer(code.as_bytes(), true, rules),
        Err(error) => {
            let why = format!("this line is no JSON string ({error}); write \"...\", with \\u001d for GS");
            print(&DecodedV1::unreadable(&why))
        }
    }
}

fn answer(code: &[u8], json: bool, rules: &Rewrite) -> Result<(), Failure> {
    let wall = clock::now().wall;
    if json {
        return print(&DecodedV1::of(code, rules, wall));
    }
    let code = with_separators(code);
    let decoded = DecodedV1::of(&code, rules, wall);
    say(&describe(&code, rules, &decoded))
}

fn print(decoded: &DecodedV1) -> Result<(), Failure> {
    say(&serde_json::to_string(decoded).map_err(Failure::other)?)
}

fn with_separators(code: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(code) {
        Ok(text) => {
            WRITTEN_GS.iter().fold(text.to_owned(), |text, written| text.replace(written, "\u{1d}")).into_bytes()
        }
        Err(_) => code.to_vec(),
    }
}

fn describe(code: &[u8], rules: &Rewrite, decoded: &DecodedV1) -> String {
    let mut lines = vec![visible_bytes(code)];
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<10}{value}"));
    let (identifier, data) = aim::split(code);
    for (number, text) in rules.explain(&String::from_utf8_lossy(data)) {
        row("rule", &format!("{number} makes it {}", visible(&text)));
    }
    if let Some(identifier) = identifier {
        row("symbology", identifier.symbology());
    }
    row("kind", decoded.kind);
    if let Some(gtin) = &decoded.gtin14 {
        row("GTIN-14", gtin);
    }
    for element in &decoded.elements {
        let meaning = decoded.values.iter().find(|value| value.ai == element.ai);
        let meaning = meaning.map(|value| format!("  = {}", value.value)).unwrap_or_default();
        row(&format!("({})", element.ai), &format!("{:<24}{}{meaning}", element.title, visible(&element.value)));
    }
    for flaw in &decoded.flaws {
        row("flaw", &visible(flaw));
    }
    for note in &decoded.notes {
        row("note", note);
    }
    row("GS1", if decoded.ok { "nothing against it" } else { "the rules refuse this" });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_not_type_may_be_written() {
        assert_eq!(with_separators(b"10L42<GS>17270131"), b"10L42\x1d17270131");
        assert_eq!(with_separators(b"10L42\\x1d17"), b"10L42\x1d17");
    }

    #[test]
    fn an_endless_line_is_cut_and_the_next_is_read() {
        let mut text = vec![b'x'; 200_000];
        text.extend_from_slice(b"\nnext\r\nlast");
        let mut input = &text[..];
        assert_eq!(next_line(&mut input).unwrap().map(|line| line.len()), Some(65_536));
        assert_eq!(next_line(&mut input).unwrap().as_deref(), Some(&b"next"[..]));
        assert_eq!(next_line(&mut input).unwrap().as_deref(), Some(&b"last"[..]));
        assert_eq!(next_line(&mut input).unwrap(), None);
    }

    #[test]
    fn a_label_is_described_for_a_person() {
        let code = b"]C1010703206980498810L42\x1d3103001250\r";
        let described =
            describe(code, &Rewrite::default(), &DecodedV1::of(code, &Rewrite::default(), clock::now().wall));
        for part in
            ["L42<GS>3103001250<CR>", "GS1-128", "07032069804988", "BATCH/LOT", "= 1.250 kg", "nothing against it"]
        {
            assert!(described.contains(part), "{part} is missing in {described}");
        }
    }

    #[test]
    fn no_part_of_a_label_steers_the_terminal() {
        let code = b"]C110A\x1b[31m\x1d\x1b[2J";
        let rules = Rewrite::default();
        let described = describe(code, &rules, &DecodedV1::of(code, &rules, clock::now().wall));
        assert!(described.contains("AI (<ESC>[2J...)") && !described.contains('\u{1b}'), "{described}");
    }
}
