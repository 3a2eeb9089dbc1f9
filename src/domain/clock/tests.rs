use super::*;

const NOW: Now = Now { boot: Duration::from_secs(100), wall: Wall(1_000_000) };
const HOUR: i64 = 3_600_000;
/// A Friday, 17:00, by the server.
const FRIDAY: i64 = 1_795_798_800_000;

fn later(seconds: u64, wall: i64) -> Now {
    Now { boot: NOW.boot + Duration::from_secs(seconds), wall: Wall(wall) }
}

fn heard(server: i64, round_trip_ms: u64) -> Heard {
    Heard { server: Wall(server), round_trip: Duration::from_millis(round_trip_ms) }
}

fn clock() -> DeviceClock {
    DeviceClock::remembered(None, "this".to_owned())
}

/// What the boot `id` keeps that hears the server say Friday, 17:00, while its own clock says `wall`.
fn friday(id: &str, wall: i64) -> Offset {
    let mut clock = DeviceClock::remembered(None, id.to_owned());
    clock.learn(heard(FRIDAY, 0), Now { wall: Wall(wall), ..NOW }).unwrap()
}

fn after(offset: Offset) -> DeviceClock {
    DeviceClock::remembered(Some(offset), "this".to_owned())
}

fn uncertainty(clock: &DeviceClock, now: Now) -> Option<Duration> {
    clock.note(now, now.boot).uncertainty
}

#[test]
fn a_clock_in_1970_is_corrected_by_the_server() {
    let mut clock = clock();
    let kept = clock.learn(heard(1_795_414_353_000, 0), NOW).unwrap();
    assert_eq!(kept.ms, 1_795_413_353_000);
    assert_eq!(clock.wall(NOW), Wall(1_795_414_353_000));
}

#[test]
fn jitter_is_not_written_down_again() {
    let mut clock = clock();
    assert!(clock.learn(heard(1_060_000, 10), NOW).is_some());
    assert_eq!(clock.learn(heard(1_061_500, 10), NOW), None);
    assert_eq!(clock.learn(heard(1_060_000, 2), NOW), None);
}

#[test]
fn what_is_kept_is_written_again_when_it_got_much_worse_than_what_is_known() {
    let mut clock = clock();
    assert!(clock.learn(heard(1_000_000, 60_000), NOW).is_some());
    let kept = clock.learn(heard(1_030_000, 10), NOW).unwrap();
    assert_eq!((kept.learnt, kept.uncertainty_ms), (Some(Wall(1_030_005)), Some(11)));
    // It drifts by more than two seconds in six hours.
    let hours = later(6 * 3600, 1_000_000 + 6 * HOUR);
    assert!(clock.learn(heard(1_030_005 + 6 * HOUR, 10), hours).is_some());
}

#[test]
fn a_wall_clock_that_was_set_is_written_down_for_the_next_boot() {
    let mut clock = clock();
    assert_eq!(clock.learn(heard(FRIDAY, 10), NOW).unwrap().ms, FRIDAY + 5 - 1_000_000);
    let set = Now { wall: Wall(FRIDAY), ..NOW };
    assert_eq!(clock.learn(heard(FRIDAY, 10), set).unwrap().ms, 0);
}

#[test]
fn a_wall_clock_that_jumps_moves_nothing_once_the_time_is_known() {
    let mut clock = clock();
    clock.learn(heard(5_000_000, 100), NOW);
    for wall in [0, 1_007_000, 9_000_000_000] {
        let now = later(7, wall);
        assert_eq!(clock.wall(now), Wall(5_007_050));
        assert_eq!(clock.note(now, now.boot).offset_ms, Some(5_007_050 - wall));
    }
}

#[test]
fn a_scan_keeps_its_time_when_the_wall_clock_is_set_before_the_report_is_saved() {
    let scanned = NOW.boot;
    let mut clock = clock();
    let set = later(30, 9_000_000_000);
    // Nothing was measured: at least the distance is right.
    assert_eq!(clock.wall_at(scanned, set), Wall(9_000_000_000 - 30_000));
    clock.learn(heard(5_000_000, 100), set);
    assert_eq!(clock.wall_at(scanned, set), Wall(5_000_050 - 30_000));
}

#[test]
fn a_worse_answer_that_agrees_changes_nothing_and_one_that_contradicts_does() {
    let mut clock = clock();
    clock.learn(heard(5_000_000, 100), NOW);
    clock.learn(heard(4_999_000, 4_000), NOW);
    assert_eq!(clock.wall(NOW), Wall(5_000_050));
    clock.learn(heard(8_000_000, 4_000), NOW);
    assert_eq!(clock.wall(NOW), Wall(8_002_000));
    clock.learn(heard(8_000_000, 20), NOW);
    assert_eq!(clock.wall(NOW), Wall(8_000_010));
}

#[test]
fn the_note_says_how_far_the_time_may_be_off_and_that_grows() {
    let mut clock = clock();
    assert_eq!(uncertainty(&clock, NOW), None);
    clock.learn(heard(1_000_000, 300), NOW);
    let day = later(86_400, 87_400_000);
    let note = clock.note(day, day.boot);
    assert_eq!(note.uncertainty, Some(Duration::from_millis(154) + Duration::from_micros(8_726_400)));
    assert_eq!(note.offset_age, Some(Duration::from_secs(86_400)));
}

#[test]
fn a_round_trip_of_minutes_counts_with_what_the_clock_drifted_meanwhile() {
    let mut clock = clock();
    clock.learn(heard(1_000_000, 300_000), NOW);
    assert_eq!(uncertainty(&clock, NOW), Some(Duration::from_micros(150_000_000 + 30_300 + 4_000)));
}

#[test]
fn the_note_holds_for_a_scan_from_long_before_the_server_was_heard() {
    let mut clock = clock();
    let day = later(86_400, 87_400_000);
    clock.learn(heard(1_000_000, 300), day);
    let with_badge = clock.note(day, NOW.boot).uncertainty;
    assert_eq!(with_badge, Some(Duration::from_millis(154) + Duration::from_micros(8_726_400)));
}

#[test]
fn a_new_start_in_the_same_boot_goes_on_with_what_was_measured() {
    let clock = after(friday("this", 1_000_000));
    // NTP set the clock meanwhile, which is nothing to this.
    let now = later(60, FRIDAY + HOUR);
    assert_eq!(clock.wall(now), Wall(FRIDAY + 60_000));
    assert_eq!(uncertainty(&clock, now), Some(Duration::from_micros(4_000 + 2_000 + 6_060)));
}

#[test]
fn boots_without_a_name_are_not_the_same_boot() {
    let clock = DeviceClock::remembered(Some(friday(UNKNOWN_BOOT, 1_000_000)), UNKNOWN_BOOT.to_owned());
    assert_eq!(uncertainty(&clock, NOW), None);
}

#[test]
fn a_clock_that_stood_still_while_the_device_was_off_claims_nothing() {
    let clock = after(friday("before", FRIDAY));
    // Monday morning; the clock goes on at the last time that was saved.
    let monday = Now { wall: Wall(FRIDAY + HOUR / 12), ..NOW };
    let note = clock.note(monday, monday.boot);
    assert_eq!((note.uncertainty, note.offset_ms, note.offset_age), (None, None, None));
}

#[test]
fn a_clock_that_was_set_since_is_not_moved_by_what_an_earlier_boot_added() {
    let clock = after(friday("before", 1_000_000));
    let set_by_ntp = Now { wall: Wall(FRIDAY + 60 * HOUR), ..NOW };
    assert_eq!(clock.wall(set_by_ntp), Wall(FRIDAY + 60 * HOUR));
    assert_eq!(uncertainty(&clock, set_by_ntp), None);
}

#[test]
fn a_time_before_what_was_known_in_an_earlier_boot_is_not_believed() {
    // Two hours behind when it was learnt, and an hour behind what can be.
    let clock = after(friday("before", FRIDAY - 2 * HOUR));
    let behind = Now { wall: Wall(FRIDAY - HOUR), ..NOW };
    assert_eq!(clock.wall(behind), Wall(FRIDAY + HOUR));
    assert_eq!(clock.note(behind, behind.boot).offset_ms, Some(2 * HOUR));
    // In 1970: this boot is a hundred seconds old, and began after that Friday.
    let reset = Now { wall: Wall(0), ..NOW };
    assert_eq!(clock.wall(reset), Wall(FRIDAY + 100_000 - 6));
    assert_eq!(uncertainty(&clock, reset), None);
}

#[test]
fn what_was_kept_before_boots_were_named_is_of_another_boot() {
    let clock = after(Offset { boot: None, ..friday("this", FRIDAY - HOUR) });
    // Nobody knows whether this boot is younger than that.
    let reset = Now { wall: Wall(0), ..NOW };
    assert_eq!(clock.wall(reset), Wall(FRIDAY - 6));
    assert_eq!(uncertainty(&clock, reset), None);
    let first = after(Offset { ms: 5_000, uncertainty_ms: None, learnt: None, boot: None });
    assert_eq!((first.wall(NOW), uncertainty(&first, NOW)), (NOW.wall, None));
}

#[test]
fn no_number_that_a_journal_can_hold_is_too_large() {
    let boot = Some(BootTime { id: "this".to_owned(), at: Duration::MAX });
    for ms in [i64::MIN, i64::MAX] {
        let offset = Offset { ms, uncertainty_ms: Some(u64::MAX), learnt: Some(Wall(ms)), boot: boot.clone() };
        for id in ["this", "that"] {
            let mut clock = DeviceClock::remembered(Some(offset.clone()), id.to_owned());
            for wall in [i64::MIN, i64::MAX] {
                let now = Now { boot: Duration::ZERO, wall: Wall(wall) };
                let _ = (clock.wall(now), clock.wall_at(Duration::MAX, now), clock.note(now, Duration::MAX));
                let round_trip = Duration::MAX;
                clock.learn(Heard { server: Wall(wall), round_trip }, now);
            }
        }
    }
}
