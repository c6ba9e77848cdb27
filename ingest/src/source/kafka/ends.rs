//! Which partitions have ended, as far as the broker has them.
//!
//! Must never ask the broker: each answer would wait behind what is being fetched.

use rdkafka::consumer::Consumer as _;

use super::KafkaSource;
use crate::kafka::{Polled, TopicPartition};

impl KafkaSource {
    /// rdkafka passes on the number of a partition that ended and not its topic. With one candidate that is enough; among
    /// several, librdkafka's statistics will say which. Nobody is asked: each answer would wait behind what is being fetched.
    pub(super) fn ended(&mut self, partition: i32) -> Vec<Polled> {
        let mut candidates: Vec<_> = self.next.keys().filter(|at| at.partition == partition).cloned().collect();
        if candidates.len() == 1 {
            return candidates.drain(..).map(Polled::End).collect();
        }
        self.unsure.extend(candidates);
        Vec::new()
    }

    /// Nothing is on its way from librdkafka: partitions whose end it has found behind all that was handed out have ended.
    pub(super) fn end_unsure(&mut self) {
        let ends = self.consumer.context();
        let is_at_end = |at: &&TopicPartition| {
            self.next.get(*at).is_none_or(|next| ends.end_found(at).is_some_and(|end| end >= *next))
        };
        let found: Vec<_> = self.unsure.iter().filter(is_at_end).cloned().collect();
        for at in found {
            self.unsure.remove(&at);
            if self.next.contains_key(&at) {
                self.waiting.push_back(Polled::End(at));
            }
        }
    }
}
