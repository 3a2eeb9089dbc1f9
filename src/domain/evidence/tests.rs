//! Pieces, their order, and what brings an upload forward.

use super::super::event::MediaType;
use super::super::time::Wall;
use super::*;

const NOW: Now = Now { boot: Duration::from_secs(1), wall: Wall(0) };
const MIB: u64 = 1 << 20;

fn later(seconds: u64) -> Now {
    Now { boot: NOW.boot + Duration::from_secs(seconds), ..NOW }
}

fn photo(bytes: &[u8], size: u64) -> Photo {
    Photo { digest: Digest::of(bytes), size, media_type: MediaType::Jpeg }
}

fn uploads(photos: &[Photo], start: Start) -> Uploads {
    let mut uploads = Uploads::default();
    uploads.want(photos, &[], start);
    uploads
}

fn next(uploads: &Uploads) -> Piece {
    uploads.next(NOW).unwrap()
}

#[test]
fn a_fresh_photo_starts_at_once_and_one_of_an_earlier_run_is_asked_for_first() {
    let fresh = uploads(&[photo(b"a", 100)], Start::Fresh);
    assert_eq!(next(&fresh), Piece { digest: Digest::of(b"a"), offset: Some(0), length: 100 });
    let mut known = uploads(&[photo(b"a", 100)], Start::Unknown);
    let question = next(&known);
    assert_eq!((question.offset, question.length), (None, 0));
    known.resume(question, 60, NOW);
    assert_eq!((next(&known).offset, next(&known).length), (Some(60), 40));
}

#[test]
fn a_server_that_has_it_all_is_sent_the_empty_end_whose_answer_is_the_receipt() {
    let mut known = uploads(&[photo(b"a", 100)], Start::Unknown);
    known.resume(next(&known), 1 << 40, NOW);
    assert_eq!((next(&known).offset, next(&known).length), (Some(100), 0));
}

#[test]
fn the_first_photo_of_every_report_goes_before_the_second_ones() {
    let mut uploads = uploads(&[photo(b"a1", 9), photo(b"a2", 9), photo(b"a3", 9)], Start::Fresh);
    uploads.want(&[photo(b"b1", 9), photo(b"b2", 9)], &[], Start::Fresh);
    let mut order = vec![];
    while let Some(piece) = uploads.next(NOW) {
        order.push(piece.digest);
        assert!(uploads.sent(piece.digest));
    }
    assert_eq!(order, [b"a1", b"b1", b"a2", b"b2", b"a3"].map(|name| Digest::of(name)));
    assert!(uploads.is_empty());
}

#[test]
fn a_photo_that_several_reports_share_is_sent_once_and_one_that_is_there_never() {
    let mut uploads = uploads(&[photo(b"a", 9), photo(b"a", 9)], Start::Fresh);
    uploads.want(&[photo(b"a", 9), photo(b"b", 9)], &[Digest::of(b"b")], Start::Fresh);
    assert_eq!(uploads.len(), 1);
    assert!(uploads.sent(Digest::of(b"a")));
    assert!(!uploads.sent(Digest::of(b"a")));
}

#[test]
fn a_failing_photo_steps_aside_for_the_next() {
    let mut uploads = uploads(&[photo(b"a", 9)], Start::Fresh);
    uploads.want(&[photo(b"b", 9)], &[], Start::Fresh);
    uploads.postpone(Digest::of(b"a"), "422", NOW);
    assert_eq!(next(&uploads).digest, Digest::of(b"b"));
    assert!(uploads.sent(Digest::of(b"b")));
    assert_eq!(uploads.next(NOW), None);
    assert_eq!(uploads.next_due(NOW), Some(NOW.plus(FIRST_RETRY)));
    assert_eq!(uploads.get(Digest::of(b"a")).unwrap().last_error.as_deref(), Some("422"));
}

/// Sends pieces over a line of so many bytes a second until `size` bytes are through; what they were.
fn pieces_over(bytes_a_second: u64, latency: Duration, size: u64) -> Vec<(u64, Duration)> {
    let mut uploads = uploads(&[photo(b"a", size)], Start::Fresh);
    let mut pieces = vec![];
    while uploads.get(Digest::of(b"a")).unwrap().offset != Some(size) {
        let piece = next(&uploads);
        let took = latency + Duration::from_secs_f64(piece.length as f64 / bytes_a_second as f64);
        uploads.measured(piece.length, took);
        uploads.resume(piece, piece.offset.unwrap() + piece.length, NOW);
        pieces.push((piece.length, took));
    }
    assert_eq!(pieces.iter().map(|(length, _)| length).sum::<u64>(), size);
    pieces
}

#[test]
fn pieces_settle_at_about_a_second_whatever_the_line_is() {
    for (what, line, latency) in [
        ("the slowest line that is promised", 1 << 10, Duration::from_millis(900)),
        ("mobile data at its worst", 8 << 10, Duration::from_millis(600)),
        ("a slow line", 100 << 10, Duration::from_millis(80)),
        ("an ordinary line", MIB, Duration::from_millis(40)),
    ] {
        let pieces = pieces_over(line, latency, 12 * MIB);
        let patience = Duration::from_secs(60);
        assert!(
            pieces.iter().all(|(_, took)| *took < patience),
            "{what}: {:?}",
            pieces.iter().max_by_key(|(_, took)| *took)
        );
        let settled = &pieces[6..pieces.len() - 1];
        let smallest_possible = Duration::from_secs_f64(MIN_PIECE as f64 / line as f64) + latency;
        for (length, took) in settled {
            assert!((MIN_PIECE..=MAX_PIECE).contains(length), "{what}: {length}");
            assert!(
                *took <= smallest_possible.max(Duration::from_millis(1800)),
                "{what}: {length} bytes took {took:?}"
            );
            assert!(*took > Duration::from_millis(500), "{what}: {length} bytes took only {took:?}");
        }
    }
    let lan = pieces_over(100 * MIB, Duration::from_millis(2), 16 * MIB);
    assert!(lan.len() < 9 && lan.iter().any(|(length, _)| *length == MAX_PIECE), "{lan:?}");
}

#[test]
fn a_photos_small_end_says_nothing_against_large_pieces() {
    let mut uploads = uploads(&[photo(b"a", 100 * MIB)], Start::Fresh);
    uploads.measured(FIRST_PIECE, Duration::from_millis(100));
    let grown = next(&uploads).length;
    assert_eq!(grown, FIRST_PIECE * GROWTH);
    uploads.measured(5000, Duration::from_millis(30));
    assert_eq!(next(&uploads).length, grown);
    uploads.measured(5000, Duration::from_secs(3));
    assert_eq!(next(&uploads).length, MIN_PIECE);
}

#[test]
fn what_is_too_large_for_the_way_is_halved_and_never_tried_again() {
    let mut uploads = uploads(&[photo(b"a", 100 * MIB)], Start::Fresh);
    for _ in 0..5 {
        uploads.measured(next(&uploads).length, Duration::from_millis(1));
    }
    assert_eq!(next(&uploads).length, MAX_PIECE);
    assert!(uploads.limit(MAX_PIECE));
    uploads.measured(MAX_PIECE / 2, Duration::from_millis(1));
    assert_eq!(next(&uploads).length, MAX_PIECE / 2);
    while uploads.limit(next(&uploads).length) {}
    assert_eq!(next(&uploads).length, MIN_PIECE);
}

#[test]
fn a_server_that_stands_elsewhere_is_followed_at_once_but_not_in_a_circle() {
    let mut uploads = uploads(&[photo(b"a", 100)], Start::Fresh);
    uploads.correct(next(&uploads), 40, NOW);
    assert_eq!(next(&uploads).offset, Some(40));
    uploads.correct(next(&uploads), 20, NOW);
    assert_eq!(uploads.next(NOW), None, "twice in a row");
    let piece = uploads.next(later(600)).unwrap();
    uploads.resume(piece, 60, NOW);
    assert_eq!(next(&uploads).offset, Some(60), "a step forward ends the wait");
}

#[test]
fn a_server_that_takes_nothing_is_not_asked_in_a_circle() {
    let mut uploads = uploads(&[photo(b"a", 100)], Start::Fresh);
    uploads.resume(next(&uploads), 0, NOW);
    assert_eq!(uploads.next(NOW), None);
}

#[test]
fn thrown_away_bytes_are_sent_again_from_the_start() {
    let mut uploads = uploads(&[photo(b"a", 100)], Start::Unknown);
    uploads.resume(next(&uploads), 60, NOW);
    uploads.refused(next(&uploads), 422, None, "hash_mismatch", NOW);
    assert_eq!(uploads.next(later(600)).unwrap().offset, Some(0));
}

#[test]
fn a_photo_that_is_thrown_away_again_and_again_is_tried_less_and_less() {
    let mut uploads = uploads(&[photo(b"a", 100)], Start::Fresh);
    let mut waits = vec![];
    for _ in 0..12 {
        let whole = uploads.next(later(3600)).unwrap();
        uploads.resume(whole, 50, NOW);
        uploads.refused(next(&uploads), 422, None, "hash_mismatch", NOW);
        waits.push(uploads.next_due(NOW).unwrap().remaining(NOW));
    }
    assert!(waits.is_sorted() && waits[0] == FIRST_RETRY && waits[11] == LAST_RETRY, "{waits:?}");
}

#[test]
fn a_lost_photo_holds_up_nobody_and_is_remembered_with_a_bound() {
    let mut uploads = uploads(&[photo(b"a", 9), photo(b"b", 9)], Start::Fresh);
    assert!(uploads.lose(Digest::of(b"a"), "its file is gone"));
    assert!(!uploads.lose(Digest::of(b"a"), "its file is gone"));
    assert_eq!(next(&uploads).digest, Digest::of(b"b"));
    assert_eq!(uploads.lost().map(|lost| lost.why.as_str()).collect::<Vec<_>>(), ["its file is gone"]);
    (0..200_u32).for_each(|n| uploads.remember_lost(Digest::of(&n.to_be_bytes()), ""));
    assert_eq!(uploads.lost().len(), LOST);
}
