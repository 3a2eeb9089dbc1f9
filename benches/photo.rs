//! How long a photo takes to its stored form: `cargo bench --bench photo`. The aim is libvips' time and memory, which
//! `tools/bench-photo` measures side by side.

#![allow(missing_docs, unreachable_pub, reason = "criterion's macros make functions without documentation")]

#[path = "photo_alone/scene.rs"]
mod scene;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use tallyman::io::photos::{PhotoConfig, stored_form};

fn photo(c: &mut Criterion) {
    let upload = scene::photo(scene::WIDTH, scene::HEIGHT).unwrap_or_default();
    let config = PhotoConfig::default();
    c.bench_function("12 megapixels to their stored form", |b| {
        b.iter_batched(|| upload.clone(), |upload| black_box(stored_form(upload, &config)), BatchSize::LargeInput);
    });
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = photo }
criterion_main!(benches);
