//! Any bytes at all: no panic, the raw bytes are kept, and what GS1 says is read twice alike.
#![no_main]

use libfuzzer_sys::fuzz_target;

use tallyman::domain::decode::rewrite::Rewrite;
use tallyman::domain::decode::{RAW_KEPT, RawScan, decode};
use tallyman::domain::time::{Now, Wall};
use tallyman::wire::decode_v1::DecodedV1;

fuzz_target!(|bytes: &[u8]| {
    let at = Now { boot: std::time::Duration::ZERO, wall: Wall(1_795_414_353_123) };
    let scan = decode(RawScan::new("fuzz", bytes, at));
    assert_eq!(scan.raw, &bytes[..bytes.len().min(RAW_KEPT)]);
    let decoded = DecodedV1::of(bytes, &Rewrite::default(), at.wall);
    assert_eq!(decoded.kind, scan.meaning.name());
    assert!(decoded.elements.iter().all(|element| !element.ai.is_empty()));
});
