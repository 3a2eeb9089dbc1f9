//! The order against a model that looks at every event each time, and its cost in a large backlog.

use std::time::Duration;

use proptest::prelude::*;

use super::super::super::time::Wall;
use super::*;

fn at(seconds: u64) -> Now {
    Now { boot: Duration::from_secs(seconds), wall: Wall(0) }
}

fn line(document: u8) -> Line {
    Line::of(&format!("WH/OUT/{document}"), Sequence(0))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Due(u64),
    UnderWay,
    Gone,
}

/// The rule, said in the plainest way: (document, state), in order of sequence from 1 on.
#[derive(Default)]
struct Model(Vec<(u8, Turn)>);

impl Model {
    fn lease(&mut self, max: usize, now: u64) -> Vec<Sequence> {
        let mut leased = Vec::new();
        let mut held = Vec::new();
        for (index, (document, turn)) in self.0.iter_mut().enumerate() {
            match *turn {
                Turn::Gone => {}
                Turn::Due(at) if at <= now && leased.len() < max && !held.contains(document) => {
                    *turn = Turn::UnderWay;
                    leased.push(Sequence(index as u64 + 1));
                }
                Turn::Due(_) | Turn::UnderWay => held.push(*document),
            }
        }
        leased
    }

    fn next_due(&self, now: u64) -> Option<u64> {
        let mut seen = Vec::new();
        let mut due = Vec::new();
        for (document, turn) in self.0.iter().filter(|(_, turn)| *turn != Turn::Gone) {
            if !seen.contains(document) {
                seen.push(*document);
                due.extend(if let Turn::Due(at) = turn { Some((*at).max(now)) } else { None });
            }
        }
        due.into_iter().min()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Admit(u8),
    Lease(usize),
    /// What becomes of an event, if it is under way: gone, or waiting for so many seconds.
    Answer(usize, Option<u64>),
    /// A parked event comes back.
    Return(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4u8).prop_map(Step::Admit),
        3 => (1..5usize).prop_map(Step::Lease),
        6 => (0..40usize, proptest::option::of(0..5u64)).prop_map(|(which, wait)| Step::Answer(which, wait)),
        1 => (0..40usize).prop_map(Step::Return),
        2 => (1..4u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn the_order_is_the_plain_rules(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut order, mut model, mut now) = (Order::default(), Model::default(), 1);
        for step in steps {
            match step {
                Step::Admit(document) => {
                    model.0.push((document, Turn::Due(now)));
                    order.wait(line(document), Sequence(model.0.len() as u64), None);
                }
                Step::Lease(max) => {
                    let mut room = max;
                    let leased = order.lease(at(now), |_| { let fits = room > 0; room = room.saturating_sub(1); fits });
                    prop_assert_eq!(leased, model.lease(max, now));
                }
                Step::Answer(which, wait) => {
                    let Some((document, turn)) = model.0.get_mut(which) else { continue };
                    if *turn != Turn::UnderWay { continue }
                    let sequence = Sequence(which as u64 + 1);
                    *turn = wait.map_or(Turn::Gone, |wait| Turn::Due(now + wait));
                    match wait {
                        Some(0) => order.wait(line(*document), sequence, None),
                        Some(wait) => order.wait(line(*document), sequence, Some(Deadline(at(now + wait).boot))),
                        None => order.leave(line(*document), sequence),
                    }
                }
                Step::Return(which) => {
                    let Some((document, turn)) = model.0.get_mut(which) else { continue };
                    if *turn == Turn::Gone {
                        *turn = Turn::Due(now);
                        order.wait(line(*document), Sequence(which as u64 + 1), None);
                    }
                }
                Step::Pass(seconds) => now += seconds,
            }
            let due = order.next_due(at(now)).map(|due| due.0.as_secs().max(now));
            prop_assert_eq!(due, model.next_due(now));
        }
    }
}

#[test]
fn an_event_about_nothing_stands_alone() {
    assert_ne!(Line::of("", Sequence(1)), Line::of("", Sequence(2)));
    assert_eq!(Line::of("A-03-02", Sequence(1)), Line::of("A-03-02", Sequence(2)));
}

#[test]
fn a_lease_looks_at_no_more_than_it_takes_however_much_is_held() {
    let mut order = Order::default();
    // Half of the backlog is one document's, whose first event waits; the other half are documents of their own.
    for n in 1..=20_000 {
        let until = (n == 1).then_some(Deadline(at(1000).boot));
        order.wait(if n % 2 == 1 { line(0) } else { Line::of("", Sequence(n)) }, Sequence(n), until);
    }
    let (mut asked, mut leased) = (0, 0);
    for _ in 0..300 {
        let mut room = 50;
        let batch = order.lease(at(1), |_| {
            asked += 1;
            let fits = room > 0;
            room -= i32::from(fits);
            fits
        });
        leased += batch.len();
        batch.into_iter().for_each(|sequence| order.leave(Line::of("", sequence), sequence));
    }
    assert_eq!(leased, 10_000);
    assert!(asked <= leased + 300, "{asked} were looked at to lease {leased}");
    assert_eq!(order.next_due(at(1)), Some(Deadline(at(1000).boot)));
}
