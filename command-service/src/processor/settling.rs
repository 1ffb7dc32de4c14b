//! From the commands of a batch to decisions, each on what the ones before it decided. The log is asked for what is not
//! here.
//!
//! A command whose streams are all here is decided without asking whether it was answered before: the append finds that
//! out anyway. Once a batch has met such a repeat, the next one asks first; and a command that finds everything so already
//! is asked for, because it leaves no event by which its commit could be told from that of an earlier request.

use std::collections::{HashMap, HashSet};
use std::mem;

use domain::decide::{Context, Decide};
use domain::stream::Stream;

use super::batch::Job;
use super::decision::{Decision, Undecided, decide};
use super::request::ExecuteError;
use super::worker::{Worker, answer_all};
use crate::codec;

/// Loads that one batch may need, one after another, before its last commands are given up.
const ROUNDS: usize = 64;

/// A batch on its way to decisions.
struct Settling {
    context: Context,
    decided: Vec<(Job, Decision)>,
    /// Streams that the next load is to bring.
    wanted: HashSet<Stream>,
}

/// Whether the log was asked if it knows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Yes,
    No,
}

impl Worker {
    /// Answers the known commands from the store and decides the others one after another, each on what the earlier
    /// ones decided. One that needs further streams goes after the others, when they are loaded.
    pub(super) async fn settle_and_decide(&mut self, batch: Vec<Job>) -> Vec<(Job, Decision)> {
        let mut settling = Settling {
            context: Context { now: (self.clock)() },
            decided: Vec::with_capacity(batch.len()),
            wanted: HashSet::new(),
        };
        let asks_first = mem::take(&mut self.met_repeats);
        let mut waiting = Vec::new();
        for job in batch {
            waiting.extend(self.decide_unasked(job, asks_first, &mut settling));
        }
        let mut unreadable = HashMap::new();
        for _ in 0..ROUNDS {
            if waiting.is_empty() {
                return settling.decided;
            }
            let loaded = match self.load(&waiting, &settling.wanted, &mut unreadable).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    answer_all(waiting, &error);
                    return settling.decided;
                }
            };
            settling.wanted.clear();
            let mut postponed = Vec::new();
            for job in waiting {
                if let Some(known) = loaded.commands.get(&job.request.command_id) {
                    self.met_repeats = true;
                    job.answer_known(known);
                    continue;
                }
                match self.decide(job, Asked::Yes, &mut settling) {
                    Ok(()) => {}
                    Err((job, Undecided::Failed(error))) => job.answer(Err(error)),
                    Err((job, Undecided::Missing(streams))) => {
                        let known = |stream| Some((stream, *unreadable.get(stream)?));
                        if let Some((stream, position)) = streams.iter().find_map(known) {
                            let stream = codec::stream_id(stream);
                            job.answer(Err(ExecuteError::Unreadable { stream, position }));
                            continue;
                        }
                        settling.wanted.extend(streams);
                        postponed.push(job);
                    }
                }
            }
            waiting = postponed;
        }
        tracing::error!(commands = waiting.len(), "commands asked for ever more streams");
        answer_all(waiting, &ExecuteError::Broken);
        settling.decided
    }

    /// Decides a command whose streams are all here; gives back one that has to wait for the log.
    fn decide_unasked(
        &mut self,
        job: Job,
        asks_first: bool,
        settling: &mut Settling,
    ) -> Option<Job> {
        let command = &job.request.command;
        if job.request.expected == Some(0) && job.conflicts == 0 {
            self.cache.expect_absent(command.target());
        }
        let streams = command.reads();
        let lacking = streams.iter().filter(|stream| !self.cache.touch(stream)).count();
        if asks_first || lacking > 0 {
            settling.wanted.extend(streams);
            return Some(job);
        }
        match self.decide(job, Asked::No, settling) {
            Ok(()) => None,
            Err((job, undecided)) => {
                if let Undecided::Missing(streams) = undecided {
                    settling.wanted.extend(streams);
                }
                Some(job)
            }
        }
    }

    #[expect(clippy::result_large_err, reason = "the job goes on either way, and is moved once")]
    fn decide(
        &mut self,
        job: Job,
        asked: Asked,
        settling: &mut Settling,
    ) -> Result<(), (Job, Undecided)> {
        let decided = {
            let _decides = tracing::info_span!(parent: &job.span, "decide").entered();
            decide(&job.request, &self.cache, &settling.context)
        };
        match decided {
            Ok(decision) if asked == Asked::No && decision.finds_all_so() => {
                Err((job, Undecided::Missing(Vec::new())))
            }
            Ok(decision) => {
                decision.events.iter().for_each(|event| self.cache.evolve(event));
                settling.decided.push((job, decision));
                Ok(())
            }
            Err(undecided) => Err((job, undecided)),
        }
    }
}
