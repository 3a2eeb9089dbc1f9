//! `tallyman card` as a person or a script meets it.

use std::fs;

use crate::support::tallyman;

#[test]
fn the_file_s_name_says_the_format_and_standard_output_gets_a_pdf() {
    let folder = tempfile::tempdir().unwrap();
    for (name, begins) in [("card.pdf", "%PDF-"), ("card.SVG", "<svg "), ("sheet.svg", "<svg ")] {
        let file = folder.path().join(name);
        let sheet = if name.starts_with("sheet") { "--calibration" } else { "--paper=letter" };
        let output = tallyman(&["card", sheet, "--output", &file.to_string_lossy()]);
        assert!(output.status.success(), "{output:?}");
        assert!(fs::read(&file).unwrap().starts_with(begins.as_bytes()), "{name}");
    }
    let piped = tallyman(&["card", "--calibration"]);
    assert!(piped.status.success() && piped.stdout.starts_with(b"%PDF-"));
}

#[test]
fn a_name_that_says_no_format_is_refused_with_the_cure_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card.doc");
    let output = tallyman(&["card", "-o", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--format"), "{output:?}");
    assert!(!file.exists());
}

#[test]
fn the_card_has_the_reasons_of_the_configuration_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("t.toml");
    fs::write(&config, "state_dir = \"s\"\n[policy.pick_shortage]\nreasons = [\"eaten_by_mice\"]\n").unwrap();
    let output = tallyman(&["card", "--format", "svg", "--config", &config.to_string_lossy()]);
    let svg = String::from_utf8_lossy(&output.stdout);
    assert!(svg.contains("<title>TM-REASON-EATEN_BY_MICE</title>"), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!svg.contains("TM-REASON-BIN_EMPTY"));
}

#[test]
fn a_configuration_says_nothing_to_the_calibration_sheet_and_one_that_is_named_must_be_there() {
    let asked = |args: &[&str]| {
        let output = tallyman(&[&["card", "--format", "svg"], args].concat());
        (output.status.code(), output.stdout.is_empty(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let both = asked(&["--calibration", "--config", "t.toml"]);
    assert!(matches!(&both, (Some(2), true, why) if why.contains("cannot be used with")), "{both:?}");
    let missing = asked(&["--config", "nowhere/t.toml"]);
    assert!(matches!(&missing, (Some(78), true, why) if why.contains("nowhere/t.toml")), "{missing:?}");
}
