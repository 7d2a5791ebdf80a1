use super::*;
use crate::{
    api::{ReasonReport, Status, Used},
    cli::{
        rates::tests::service,
        top::text::{alarms, columns},
    },
};

const NONE: Used = Used { used: 0, most: 1 };

fn sample(at: Instant, packets: u64, refused: u64) -> Sample {
    let reason = ReasonReport {
        packets: refused,
        fate: String::new(),
    };
    let addresses: Vec<String> = (1..=99).map(|it| format!("10.0.0.{it}")).collect();
    let reals: Vec<(&str, u64)> = addresses.iter().map(|it| (it.as_str(), packets)).collect();
    Sample {
        at,
        services: vec![service("tcp/192.0.2.1:80", &reals)],
        status: Status {
            version: String::new(),
            pid: 1,
            config: String::new(),
            pins: String::new(),
            vip: String::new(),
            interfaces: Vec::new(),
            services: NONE,
            members: NONE,
            flows: NONE,
            flow_octets: 0,
            memory: 0,
            unconfirmed: None,
            fwmarks: crate::config::fwmarks::Fwmarks::default(),
            leaks: Vec::new(),
            leaks_more: 0,
            reasons: [("refused".to_owned(), reason)].into(),
        },
    }
}

fn model(at: Instant) -> Model {
    Model::new(sample(at, 0, 5), Duration::from_secs(2))
}

#[test]
fn rates_are_over_the_time_between_samples() {
    let start = Instant::now();
    let mut model = model(start);
    assert_eq!(model.total, None);
    for (after, packets, refused, rate, reason) in [
        (2, 10, 5, 495., None),
        // A pause.
        (12, 20, 25, 99., Some(2.)),
        // All tables anew.
        (13, 3, 4, 297., Some(4.)),
    ] {
        let at = start + Duration::from_secs(after);
        model.take(sample(at, packets, refused));
        assert_eq!(model.total.unwrap().packets, rate, "after {after} s");
        let reasons = model.reasons.first().map(|(_, rate)| *rate);
        assert_eq!(reasons, reason, "after {after} s");
    }
    assert_eq!(model.history, [495, 99, 297]);
}

#[test]
fn the_selection_stays_on_the_screen() {
    let mut model = model(Instant::now());
    model.scroll(10);
    for (action, selected, first) in [
        (Action::Up, 0, 0),
        (Action::PageDown, 10, 1),
        (Action::Up, 9, 1),
        (Action::Down, 10, 1),
        (Action::End, 99, 90),
        (Action::Down, 99, 90),
        (Action::PageUp, 89, 89),
        (Action::Home, 0, 0),
        (Action::End, 99, 90),
        (Action::Members, 0, 0),
        (Action::PageDown, 0, 0),
    ] {
        model.act(action);
        model.scroll(10);
        assert_eq!(
            (model.selected, model.first),
            (selected, first),
            "{action:?}"
        );
    }
    assert_eq!(model.rows.len(), 1);
}

#[test]
fn a_filter_is_typed_and_cleared() {
    let mut model = model(Instant::now());
    model.act(Action::Filter);
    "0.0.77x"
        .chars()
        .for_each(|it| model.type_filter(Typed::Letter(it)));
    assert_eq!(model.rows.len(), 0);
    model.type_filter(Typed::Back);
    assert_eq!(model.rows.len(), 2);
    model.type_filter(Typed::Keep);
    assert_eq!((model.is_typing, model.rows.len()), (false, 2));
    model.act(Action::Filter);
    model.type_filter(Typed::Clear);
    assert_eq!((model.is_typing, model.rows.len()), (false, 100));
}

#[test]
fn a_daemon_that_should_have_answered_is_missed() {
    let start = Instant::now();
    let mut model = model(start);
    let silence = |model: &Model, after| model.silence(start + Duration::from_secs(after));
    assert_eq!(silence(&model, 4), None);
    assert_eq!(silence(&model, 5), Some(Duration::from_secs(5)));
    model.is_paused = true;
    assert_eq!(silence(&model, 5), None);
    model.fail();
    let said = alarms(&model, start + Duration::from_secs(3));
    assert_eq!(said, ["no answer from the daemon since 3 s"]);
    model.take(sample(start, 0, 0));
    assert_eq!(silence(&model, 1), None);
}

#[test]
fn what_has_no_room_is_left_out() {
    let model = model(Instant::now());
    // The widest name is 16 letters; of the columns of numbers four are 7 and one is 6.
    for (width, numbers, state) in [
        (120, 5, 64),
        (80, 5, 24),
        (60, 4, 11),
        (40, 1, 15),
        (20, 1, 3),
    ] {
        let columns = columns(&model.rows, width);
        assert_eq!(columns.len(), numbers + 2, "{width}");
        assert_eq!(columns.last().unwrap().1, state, "{width}: {columns:?}");
    }
}
