//! A durable report against the bare disk: the same bytes, into files that are there already, in one run. `tallyman bench`
//! measures the two by turns, which a busy machine distorts less.
//!
//! `TALLYMAN_BENCH_DIR` names the folder; the disk that it lies on is what is measured.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use tallyman::domain::id::{Digest, EventId, Sequence};
use tallyman::domain::outbox::{Entry, State};
use tallyman::domain::policy::Kind;
use tallyman::domain::time::Wall;
use tallyman::io::store::Store;
use tallyman::wire::journal_v2::{self, EventRecord, Record};

const BARE_BYTES: u64 = 1 << 20;

fn report(n: u64) -> (Record, Entry) {
    let jws = format!("{n:0>1200}");
    let entry = Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(n.cast_signed()), &[7; 10]),
        digest: Digest::of(jws.as_bytes()),
        size: jws.len() as u64,
        kind: Kind::PickShortage,
        subject: "WH/OUT/00012".into(),
        captured: Wall(0),
        photos: Box::default(),
        state: State::FRESH,
    };
    (Record::Event(EventRecord::of(&entry, jws)), entry)
}

fn enqueue(criterion: &mut Criterion) {
    let parent = std::env::var_os("TALLYMAN_BENCH_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = tempfile::tempdir_in(parent).unwrap();
    let mut group = criterion.benchmark_group("durable");
    let mut frame = Vec::new();
    journal_v2::frame(&report(1).0, 1, 0, &mut frame);
    let bare = OpenOptions::new().write(true).create_new(true).open(folder.path().join("bare")).unwrap();
    bare.write_all_at(&vec![0; BARE_BYTES as usize], 0).unwrap();
    bare.sync_all().unwrap();
    let mut offset = 0;
    group.bench_function("bare pwrite and fdatasync", |bench| {
        bench.iter(|| {
            offset = (offset + frame.len() as u64) % (BARE_BYTES - frame.len() as u64);
            bare.write_all_at(&frame, offset).unwrap();
            bare.sync_data().unwrap();
        });
    });
    let (store, _) = Store::open(&folder.path().join("state")).unwrap();
    let mut n = 0;
    group.bench_function("enqueue", |bench| {
        bench.iter_batched(
            || {
                n += 1;
                report(n)
            },
            |(record, entry)| store.append(record, Some(entry)).blocking_recv().unwrap().unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    store.close();
}

criterion_group!(benches, enqueue);
criterion_main!(benches);
