//! A feeder aimed at one program: what is run, instead of the program itself.

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf, EbpfLoader, TestRunOptions,
    maps::{Array, ProgramArray},
    programs::{ProgramError, ProgramFd, TestRun as _, Xdp},
};
use lb_user::dataplane::bench::OBJECT;

/// What is fed.
#[derive(Clone)]
pub(crate) struct Feed {
    /// A frame of IPv4 without options or IPv6 without extension headers, perhaps tagged.
    pub(crate) frame: Vec<u8>,
    /// A power of two.
    pub(crate) flows: u32,
    /// Restore all of the frame's head: the program writes more than MACs and the time to live.
    pub(crate) whole: bool,
}

/// The order in which flows are visited: how far the next is.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Order {
    Ascending = 1,
    /// Odd, so that it meets all of them; near the golden section, so that neighbours are far apart.
    Scrambled = 0x9e37_79b1,
}

pub(crate) struct Feeder {
    ebpf: Ebpf,
    name: &'static str,
    frame: Vec<u8>,
}

impl Feeder {
    pub(crate) fn aim(subject: &ProgramFd, feed: Feed) -> Result<Self> {
        let mut refused = None;
        for name in ["feeder", "feeder_frags"] {
            let mut ebpf = load(&feed)?;
            let map = ebpf.map_mut("SUBJECT").context("no SUBJECT")?;
            ProgramArray::try_from(map)?
                .set(0, subject, 0)
                .context("the program cannot be called by another")?;
            match program(&mut ebpf, name)?.load() {
                Ok(()) => {
                    let frame = feed.frame;
                    return Ok(Self { ebpf, name, frame });
                }
                // A program that takes frames in fragments is called only by its like.
                Err(error @ ProgramError::LoadError { .. }) => refused = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        match refused {
            Some(error) => Err(error).context("cannot load a feeder for the program"),
            None => bail!("no feeder"),
        }
    }

    /// The feeder itself, to be run by others.
    pub(crate) fn fd(&mut self) -> Result<&ProgramFd> {
        Ok(program(&mut self.ebpf, self.name)?.fd()?)
    }

    pub(crate) fn frame(&self) -> &[u8] {
        &self.frame
    }

    pub(crate) fn visit(&mut self, order: Order) -> Result<()> {
        let map = self.ebpf.map_mut("CURSOR").context("no CURSOR")?;
        let mut cursor: Array<_, [u32; 2]> = map.try_into()?;
        let [next, _] = cursor.get(&0, 0)?;
        Ok(cursor.set(0, [next, order as u32], 0)?)
    }

    /// Runs the program on the next flows, and returns its last answer.
    pub(crate) fn run(&mut self, flows: u32) -> Result<u32> {
        let frame = self.frame.clone();
        let result = program(&mut self.ebpf, self.name)?.test_run(TestRunOptions {
            data_in: Some(&frame),
            repeat: flows,
            ..TestRunOptions::default()
        });
        Ok(result.context("cannot run the program")?.return_value)
    }

    /// Runs the program on the next flow; its answer, and what it made of the frame.
    pub(crate) fn once(&mut self) -> Result<(u32, Vec<u8>)> {
        let frame = self.frame.clone();
        let mut left = vec![0xa5; frame.len() + 256];
        let result = program(&mut self.ebpf, self.name)?.test_run(TestRunOptions {
            data_in: Some(&frame),
            data_out: Some(&mut left),
            ..TestRunOptions::default()
        });
        let result = result.context("cannot run the program")?;
        left.truncate(result.data_size_out as usize);
        Ok((result.return_value, left))
    }
}

fn load(feed: &Feed) -> Result<Ebpf> {
    let frame = &feed.frame;
    let network: usize = if frame[12..14] == [0x81, 0x00] {
        18
    } else {
        14
    };
    let octets = |at: usize, len: usize| {
        let mut word = [0; 8];
        word[..len].copy_from_slice(&frame[at..at + len]);
        u64::from_ne_bytes(word)
    };
    let is_v6 = frame[network - 2..network] == [0x86, 0xdd];
    // Of an IPv6 client's address the last eight octets are fed, and the last four count.
    let fields = match is_v6 {
        true => [4, 16, 20, 40],
        false => [8, 12, 12, 20],
    };
    let [life, addresses_at, client, ports] = fields.map(|field| network + field);
    let head: [u64; 6] = std::array::from_fn(|i| octets(i * 8, 8));
    let macs = [octets(0, 6), octets(6, 6)];
    let (addresses, shift) = match is_v6 {
        true => (octets(addresses_at, 4), 32),
        false => (octets(client + 4, 4) << 32, 0),
    };
    let first = (octets(client, 4) as u32).to_be();
    let words: [(&str, u32); 10] = [
        ("OCTETS", frame.len() as u32),
        ("WHOLE", feed.whole.into()),
        ("LIFE", octets(life, 4) as u32),
        ("LIFE_AT", life as u32),
        ("CLIENT", first),
        ("CLIENT_SHIFT", shift),
        ("ADDRESSES_AT", addresses_at as u32),
        ("PORT", octets(ports + 2, 2) as u32),
        ("PORTS_AT", ports as u32),
        ("FLOWS_MASK", feed.flows - 1),
    ];
    let mut loader = EbpfLoader::new();
    for (name, word) in &words {
        loader.override_global(name, word, true);
    }
    loader
        .override_global("HEAD", &head, true)
        .override_global("ADDRESSES", &addresses, true)
        .override_global("DESTINATION", &macs[0], true)
        .override_global("SOURCE", &macs[1], true)
        .load(OBJECT)
        .context("cannot load the feeder; is this root?")
}

fn program<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut Xdp> {
    let program = ebpf.program_mut(name);
    Ok(program.with_context(|| format!("no {name}"))?.try_into()?)
}
