//! The terminal: its modes, its keys, and the loop that waits for them.

use std::{io::stdout, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use crossterm::{
    event::{Event, EventStream, KeyEvent, KeyEventKind},
    execute,
    terminal::{Clear, ClearType, disable_raw_mode},
};
use futures_util::{StreamExt as _, future::OptionFuture};
use ratatui::DefaultTerminal;
use rustix::process::{Signal, getpid, kill_process};
use tokio::{
    signal::unix::{self, SignalKind, signal},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, interval_at},
};

use super::{
    colours::Colours,
    draw::draw,
    keys::{Action, action, typed},
    model::Model,
    sample::Sample,
};

/// A terminal in our hands; dropped, it is as it was. A panic gives it back as well, by ratatui's hook.
struct Screen(DefaultTerminal);

impl Screen {
    fn new() -> Result<Self> {
        let terminal = ratatui::try_init().context("cannot use this terminal")?;
        Ok(Self(terminal))
    }

    /// Takes the terminal again: whoever had it may have left other modes than were ours.
    fn again(&mut self) -> Result<()> {
        disable_raw_mode()?;
        self.0 = ratatui::try_init().context("cannot use this terminal")?;
        // ratatui's own would ask for the cursor, and the keys are read elsewhere.
        execute!(stdout(), Clear(ClearType::All))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the model until somebody quits.
pub(super) fn run(model: Model, socket: PathBuf) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(show(model, socket));
    // A daemon that is stopped is not waited for.
    runtime.shutdown_background();
    ended
}

async fn show(mut model: Model, socket: PathBuf) -> Result<()> {
    let mut signals = Signals::new()?;
    let mut screen = Screen::new()?;
    let mut events = EventStream::new();
    let colours = Colours::of_environment();
    // Rates are there soon.
    let start = tokio::time::Instant::now() + Duration::from_millis(500);
    let mut samples = interval_at(start, model.delay);
    samples.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // For what is told in seconds.
    let mut seconds = interval(Duration::from_secs(1));
    let mut asked = None;
    loop {
        screen.0.draw(|frame| draw(frame, &mut model, colours))?;
        tokio::select! {
            event = events.next() => match event {
                None => return Ok(()),
                Some(event) => match act(&mut model, event?) {
                    Some(Action::Quit) => return Ok(()),
                    Some(Action::Suspend) => suspend()?,
                    _ => {}
                },
            },
            told = signals.next() => match told {
                Told::End => return Ok(()),
                Told::Stop => suspend()?,
                Told::Continue => screen.again()?,
            },
            _ = samples.tick(), if asked.is_none() && !model.is_paused => {
                let socket = socket.clone();
                asked = Some(spawn_blocking(move || Sample::take(&socket)));
            }
            Some(sample) = OptionFuture::from(asked.as_mut()) => {
                asked = None;
                match sample? {
                    Ok(sample) => model.take(sample),
                    Err(_) => model.fail(),
                }
            }
            _ = seconds.tick() => {}
        }
    }
}

/// Gives the terminal back, and stops as if by Ctrl-Z; SIGCONT takes it again.
fn suspend() -> Result<()> {
    ratatui::restore();
    Ok(kill_process(getpid(), Signal::STOP)?)
}

/// Returns what is for the screen and not for the model.
fn act(model: &mut Model, event: Event) -> Option<Action> {
    let Event::Key(
        key @ KeyEvent {
            kind: KeyEventKind::Press,
            ..
        },
    ) = event
    else {
        return None;
    };
    let action = action(key);
    if matches!(action, Some(Action::Suspend)) {
        return action;
    }
    if model.is_helping {
        model.is_helping = false;
    } else if model.is_typing {
        if let Some(typed) = typed(key) {
            model.type_filter(typed);
        } else if key
            .modifiers
            .contains(crossterm::event::KeyModifiers::CONTROL)
        {
            return action;
        }
    } else if let Some(action) = action {
        model.act(action);
        return Some(action);
    }
    None
}

enum Told {
    End,
    Stop,
    Continue,
}

struct Signals {
    ends: [unix::Signal; 3],
    stop: unix::Signal,
    continue_: unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            ends: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::hangup())?,
            ],
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            continue_: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    async fn next(&mut self) -> Told {
        let [terminate, interrupt, hangup] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Told::End,
            _ = interrupt.recv() => Told::End,
            _ = hangup.recv() => Told::End,
            _ = self.stop.recv() => Told::Stop,
            _ = self.continue_.recv() => Told::Continue,
        }
    }
}
