//! The director beside a full, unbounded flow table, both through random histories: packets of TCP
//! and UDP, IPv4 and IPv6, time, sweeps, restarts, and every change an operator makes.
//!
//! A flow is never sent to another member than the one it began on, unless it was idle for longer
//! than its timeout or its service was removed. A flow that begins goes where its client was last
//! sent, if the service is persistent, for as long as that lasts and that member is there; else to
//! a member that takes new ones.
//! When all is quiet nothing of the past is left.
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

use self::history::{Change, First, MAIN, SERVICES, Step, Trial};

/// Room for 32 768 flows. The histories have 256, and what a service left that was made anew, so
/// that a set of four overflows once in a million histories.
const ROOMY: usize = 1 << 13;
/// Room for 32 flows.
const TINY: usize = 1 << 3;
const TCP: &str = "tcp/192.0.2.1:80";
const UDP6: &str = "udp/[2001:db8::1]:53";

proptest! {
    #![proptest_config(config())]

    #[test]
    fn flows_stay_as_in_a_full_table(first in first(), steps in vec(step(), 1..60)) {
        let mut trial = Trial::new(first, ROOMY, true);
        trial.run(&steps);
        trial.end();
    }

    /// What has no room for its record may move at a change. What has one, and is established,
    /// does not lose it, whatever the others do.
    #[test]
    fn flows_with_a_record_stay_in_a_table_too_small(first in first(), steps in vec(step(), 1..60)) {
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

fn first() -> impl Strategy<Value = First> {
    let parts = (scheduler(), persistence(), 0..SERVICES.len());
    parts.prop_map(|(scheduler, persistence, main)| First {
        scheduler,
        persistence,
        main,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let service = || select(vec![MAIN, MAIN, MAIN, MAIN, MAIN, 1, 2, 3]);
    let group = || 0..4_u8;
    let flags = select(vec![SYN, ACK, ACK, ACK, ACK, FIN | ACK, RST]);
    // Just under, at and just over each timeout.
    let nap = select(vec![
        1, 5, 10, 11, 59, 60, 61, 119, 120, 121, 299, 300, 301, 450, 890, 899, 900, 901, 1000,
    ]);
    prop_oneof![
        4 => (service(), group()).prop_map(|(service, group)| Step::Open(service, group)),
        10 => (service(), group(), flags).prop_map(|(service, group, flags)| {
            Step::Send(service, group, flags)
        }),
        2 => (service(), group()).prop_map(|(service, group)| {
            Step::Fragmented(service, group)
        }),
        8 => nap.prop_map(Step::Pass),
        5 => Just(Step::Sweep),
        1 => Just(Step::Restart),
        2 => (2..8_u8, any::<bool>()).prop_map(|(host, it)| Step::Unresolved(host, it)),
        12 => (service(), change()).prop_map(|(service, change)| Step::Change(service, change)),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let weight = select(vec![0, 1, 1, 2, 3, 7, 100]);
    prop_oneof![
        4 => (2..8_u8, weight).prop_map(|(host, weight)| Change::Real(host, Some(weight))),
        3 => (2..8_u8).prop_map(|host| Change::Real(host, None)),
        // More than ten need a larger table.
        1 => (0..14_u8).prop_map(Change::Reals),
        3 => scheduler().prop_map(Change::Scheduler),
        3 => (persistence(), any::<bool>()).prop_map(|(seconds, expire)| {
            Change::Persistence(seconds, expire)
        }),
        1 => Just(Change::Anew),
    ]
}

fn persistence() -> impl Strategy<Value = Option<u32>> {
    select(vec![None, None, Some(50), Some(300), Some(700)])
}

/// Those that hash are as likely as those that do not.
fn scheduler() -> impl Strategy<Value = Scheduler> {
    let (hashed, others): (Vec<_>, Vec<_>) =
        Scheduler::ALL.into_iter().partition(|it| it.is_hashed());
    prop_oneof![select(hashed), select(others)]
}

/// What histories were shrunk to that once went wrong.
fn again(scheduler: Scheduler, main: &str, steps: &[Step]) {
    let first = First {
        scheduler,
        persistence: None,
        main: SERVICES.iter().position(|&it| it == main).unwrap(),
    };
    let mut trial = Trial::new(first, ROOMY, true);
    trial.run(steps);
    trial.end();
}

#[test]
fn a_connection_picked_up_in_its_middle_is_established() {
    // Late in the window; its record has to outlive it by more than a SYN's would.
    again(
        Scheduler::Mh,
        TCP,
        &[
            Step::Open(MAIN, 0),
            Step::Change(MAIN, Change::Real(5, Some(1))),
            Step::Pass(890),
            Step::Send(MAIN, 0, ACK),
            Step::Pass(60),
            Step::Sweep,
            Step::Pass(60),
            Step::Sweep,
            Step::Send(MAIN, 0, ACK),
        ],
    );
    again(
        Scheduler::Rr,
        TCP,
        &[Step::Send(MAIN, 0, ACK), Step::Pass(61), Step::Sweep],
    );
}

#[test]
fn a_window_lasts_as_long_as_a_connection_may_be_idle() {
    again(
        Scheduler::Mh,
        TCP,
        &[
            Step::Open(MAIN, 0),
            Step::Change(MAIN, Change::Real(5, Some(1))),
            Step::Pass(900),
            Step::Sweep,
            Step::Send(MAIN, 0, ACK),
        ],
    );
}

#[test]
fn a_service_that_becomes_persistent_keeps_its_connections() {
    again(
        Scheduler::Mh,
        TCP,
        &[
            Step::Open(MAIN, 0),
            Step::Change(MAIN, Change::Persistence(Some(50), false)),
            Step::Send(MAIN, 0, ACK),
        ],
    );
}

#[test]
fn a_client_that_may_come_back_is_not_a_flow() {
    again(
        Scheduler::Rr,
        UDP6,
        &[
            Step::Change(MAIN, Change::Persistence(Some(50), false)),
            Step::Send(MAIN, 0, SYN),
            Step::Sweep,
        ],
    );
}
