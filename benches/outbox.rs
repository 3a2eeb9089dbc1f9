//! What a full queue costs: all of 200,000 waiting reports leased and released in batches, and the two questions that
//! the loop asks at each turn.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tallyman::domain::id::{Digest, EventId, Sequence};
use tallyman::domain::outbox::{Entry, MAX_BATCH, MAX_WAITING, Outbox, State};
use tallyman::domain::policy::Kind;
use tallyman::domain::receipt::{Receipt, Status};
use tallyman::domain::time::{Deadline, Now, Wall};

const NOW: Now = Now { boot: Duration::from_secs(1), wall: Wall(0) };

/// `documents` of them have reports, in turn.
fn full(documents: u64) -> Outbox {
    let mut outbox = Outbox::default();
    for n in 1..=MAX_WAITING as u64 {
        let entry = Entry {
            sequence: Sequence(n),
            id: EventId::mint(Wall(n as i64), &[0; 10]),
            digest: Digest([7; 32]),
            size: 1400,
            kind: Kind::PickShortage,
            subject: format!("WH/OUT/{:05}", n % documents).into(),
            captured: Wall(n as i64),
            photos: Box::default(),
            state: State::FRESH,
        };
        outbox.admit(entry, &[]);
    }
    outbox
}

fn drain(mut outbox: Outbox) -> Outbox {
    loop {
        let leased = outbox.lease(MAX_BATCH, NOW);
        if leased.is_empty() {
            return outbox;
        }
        for sequence in leased {
            let Some(entry) = outbox.get(sequence) else { continue };
            let (id, digest) = (Some(entry.id), entry.digest);
            let receipt =
                Receipt { id, digest, status: Status::Created, case: None, missing_evidence: None, error: None };
            outbox.settle(sequence, &receipt, Deadline(NOW.boot));
        }
        black_box((outbox.take_settled(), outbox.counts(), outbox.next_due(NOW)));
    }
}

fn queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("200,000 reports wait");
    group.sample_size(10);
    for documents in [1, 5000, 200_000] {
        group.bench_function(format!("all sent in batches of 50, {documents} document(s)"), |b| {
            b.iter_batched(|| full(documents), drain, BatchSize::PerIteration);
        });
    }
    let outbox = full(5000);
    group.bench_function("counts and what is due, once a turn", |b| {
        b.iter(|| black_box((outbox.counts(), outbox.next_due(NOW))));
    });
    group.finish();
}

criterion_group!(benches, queue);
criterion_main!(benches);
