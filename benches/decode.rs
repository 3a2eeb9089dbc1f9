//! How fast codes are understood: `cargo bench --bench decode`. The aim is a million element strings a second on a core.

#![allow(missing_docs, reason = "criterion's macros make functions without documentation")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use tallyman::domain::decode::frame::{Framer, Framing, Terminator};
use tallyman::domain::decode::{aim, understand};
use tallyman::domain::time::{Now, Wall};

const CODES: &[(&str, &str)] = &[
    ("EAN-13", "]E07032069804988"),
    ("EAN-13 without AIM identifier", "7032069804988"),
    ("GS1 element string: GTIN, expiry, lot", "]C101070320698049881727013110L42"),
    (
        "GS1 element string: 6 elements, 80 characters",
        "]d20107032069804988172701313103001250422276\u{1d}10L42-2026-11\u{1d}21SN0123456789012345",
    ),
    ("Digital Link", "]Q1https://id.example.com/01/07032069804988/10/L42?17=270131"),
    ("bin, no GS1", "WH/OUT/00012"),
];

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("understand");
    group.throughput(Throughput::Elements(1));
    for (name, code) in CODES {
        let (identifier, data) = aim::split(code.as_bytes());
        let text = std::str::from_utf8(data).unwrap_or_default();
        group.bench_function(*name, |b| {
            b.iter(|| {
                let mut flaws = Vec::new();
                black_box(understand(identifier, black_box(text), &mut flaws));
                flaws.len()
            });
        });
    }
    group.finish();
}

fn frames(c: &mut Criterion) {
    let now = Now { boot: std::time::Duration::ZERO, wall: Wall(0) };
    let bytes = b"]C101070320698049881727013110L42\r\n".repeat(30);
    let mut group = c.benchmark_group("frame");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("30 codes in one read", |b| {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Line));
        b.iter(|| framer.feed(black_box(&bytes), now));
    });
    group.finish();
}

criterion_group!(benches, decode, frames);
criterion_main!(benches);
