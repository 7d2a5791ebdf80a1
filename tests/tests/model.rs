//! The director beside a full, unbounded flow table, both through random histories: packets, time,
//! sweeps, restarts, and every change an operator makes.
//!
//! A flow is never sent to another member than the one it began on, unless it was idle for longer
//! than its timeout or its service was removed. When all is quiet nothing of the past is left.
//! `PROPTEST_CASES` says how many histories there are, 256 if it does not.

mod full_table;
mod history;
mod site;

use lb_user::scheduler::Scheduler;
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
    sample::select,
};
use tests::frames::{ACK, FIN, RST, SYN};

use self::history::{Step, Trial};

/// Room for 16 384 flows. The histories have 144, and what a service left that was made anew, so
/// that a set of four overflows once in a million histories.
const ROOMY: usize = 1 << 12;
/// Room for 32 flows.
const TINY: usize = 1 << 3;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn flows_stay_as_in_a_full_table(first in scheduler(), steps in vec(step(), 1..60)) {
        let mut trial = Trial::new(first, ROOMY, true);
        trial.run(&steps);
        trial.end();
    }

    /// What has no room for its record may move at a change. What has one, and is established,
    /// does not lose it, whatever the others do.
    #[test]
    fn flows_with_a_record_stay_in_a_table_too_small(
        first in scheduler(),
        steps in vec(step(), 1..60),
    ) {
        let mut trial = Trial::new(first, TINY, false);
        trial.run(&steps);
        trial.end();
    }
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        // Failures become cases of this file, with a name.
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 256;
    }
    config
}

fn step() -> impl Strategy<Value = Step> {
    let group = || 0..6_u8;
    let flags = select(vec![SYN, ACK, ACK, ACK, ACK, FIN | ACK, RST]);
    // Just under, at and just over each timeout.
    let nap = select(vec![
        1, 5, 10, 11, 59, 60, 61, 119, 120, 121, 300, 450, 890, 899, 900, 901, 1000,
    ]);
    let weight = select(vec![0, 1, 1, 2, 3, 7, 100]);
    prop_oneof![
        4 => group().prop_map(Step::Open),
        10 => (group(), flags).prop_map(|(group, flags)| Step::Send(group, flags)),
        8 => nap.prop_map(Step::Pass),
        5 => Just(Step::Sweep),
        1 => Just(Step::Restart),
        4 => (2..8_u8, weight).prop_map(|(host, weight)| Step::Real(host, Some(weight))),
        3 => (2..8_u8).prop_map(|host| Step::Real(host, None)),
        // More than ten need a larger table.
        1 => (0..14_u8).prop_map(Step::Reals),
        3 => scheduler().prop_map(Step::Scheduler),
        2 => (2..8_u8, any::<bool>()).prop_map(|(host, it)| Step::Unresolved(host, it)),
        1 => Just(Step::Anew),
    ]
}

fn scheduler() -> impl Strategy<Value = Scheduler> {
    select(vec![Scheduler::Rr, Scheduler::Wrr, Scheduler::Mh])
}

/// What histories were shrunk to that once went wrong.
fn again(first: Scheduler, steps: &[Step]) {
    let mut trial = Trial::new(first, ROOMY, true);
    trial.run(steps);
    trial.end();
}

#[test]
fn a_connection_picked_up_in_its_middle_is_established() {
    // Late in the window; its record has to outlive it by more than a SYN's would.
    again(
        Scheduler::Mh,
        &[
            Step::Open(0),
            Step::Real(5, Some(1)),
            Step::Pass(890),
            Step::Send(0, ACK),
            Step::Pass(60),
            Step::Sweep,
            Step::Pass(60),
            Step::Sweep,
            Step::Send(0, ACK),
        ],
    );
    again(
        Scheduler::Rr,
        &[Step::Send(0, ACK), Step::Pass(61), Step::Sweep],
    );
}

#[test]
fn a_window_lasts_as_long_as_a_connection_may_be_idle() {
    again(
        Scheduler::Mh,
        &[
            Step::Open(0),
            Step::Real(5, Some(1)),
            Step::Pass(900),
            Step::Sweep,
            Step::Send(0, ACK),
        ],
    );
}
