//! Ratios, and modelled figures beside measured ones.

use crate::host::Times;
use crate::record::{Choice, Comparison, Contestant, ModelRow, Rank, Side, Timing};
use crate::stats::Quartiles;
use crate::subject::Run;
use mathsmith_cost::{Model, cycles};

/// Quartiles of some times.
pub fn quartiles(values: &[f64]) -> Option<Quartiles> {
    Quartiles::of(values)
}

/// What the rounds of one contestant amount to; `chain` is taken off each call of a chain.
pub fn timing(times: &Times, chain: f64) -> Option<Timing> {
    let throughput = Quartiles::of(&times.throughput)?;
    let own = |t: f64| (t - chain).max(0.0);
    let latency = Quartiles::of(&times.latency).filter(|_| times.finite);
    let latency = latency.map(|q| Quartiles { q1: own(q.q1), median: own(q.median), q3: own(q.q3) });
    Some(Timing { throughput, latency })
}

type Row = (Contestant, Times);

/// Every own contestant beside the fastest peer of at most its error, of at most each bound, beside the fastest of all, and
/// beside those that were named.
pub fn comparisons(rows: &[Row], at_most: &[f64], named: &[String]) -> Vec<Comparison> {
    let peers: Vec<&Row> = rows.iter().filter(|(c, _)| c.side == Side::Peer).collect();
    let mut all = Vec::new();
    for own in rows.iter().filter(|(c, _)| c.side == Side::Own) {
        let within = |bound: f64, vector: bool| {
            let fits = |c: &Contestant| {
                let error = c.error.as_ref();
                let ulp = error.and_then(|e| e.max_ulp);
                ulp.is_some_and(|u| u <= bound) && error.is_some_and(|e| !e.wrong_class) && (c.vector || !vector)
            };
            fastest(peers.iter().copied().filter(|(c, _)| fits(c)))
        };
        let own_error = own.0.error.as_ref().and_then(|e| e.max_ulp);
        if let Some(max_ulp) = own_error {
            all.push(beside(own, Choice::AtMost { max_ulp, own: true }, within(max_ulp, false)));
        }
        for &max_ulp in at_most {
            all.push(beside(own, Choice::AtMost { max_ulp, own: false }, within(max_ulp, false)));
            all.push(beside(own, Choice::VectorAtMost { max_ulp }, within(max_ulp, true)));
        }
        all.push(beside(own, Choice::Fastest, fastest(peers.iter().copied())));
        let is_named = |c: &Contestant| named.iter().any(|n| c.name == *n || c.name.starts_with(&format!("{n}@")));
        all.extend(peers.iter().filter(|(c, _)| is_named(c)).map(|p| beside(own, Choice::Named, Some(p))));
    }
    all
}

fn fastest<'a>(peers: impl Iterator<Item = &'a Row>) -> Option<&'a Row> {
    peers.min_by(|(a, _), (b, _)| a.timing.throughput.median.total_cmp(&b.timing.throughput.median))
}

fn beside(own: &Row, choice: Choice, peer: Option<&Row>) -> Comparison {
    let latency = |p: &Row| {
        // Both without what the chain itself costs, so not round by round.
        let (own, peer) = (own.0.timing.latency?, p.0.timing.latency?);
        let sound = own.q1 > 0.0 && peer.q1 > 0.0;
        sound.then(|| Quartiles { q1: peer.q1 / own.q3, median: peer.median / own.median, q3: peer.q3 / own.q1 })
    };
    Comparison {
        own: own.0.name.clone(),
        choice,
        peer: peer.map(|p| p.0.name.clone()),
        speedup: peer.and_then(|p| Quartiles::of_ratios(&p.1.throughput, &own.1.throughput)),
        latency_speedup: peer.and_then(latency),
    }
}

/// Least relative difference that counts as one when entries are ranked.
const DISTINCT: f64 = 0.02;

/// Modelled figures of every compiled entry, on its own model and on `models`; and how often each model ranks two entries as
/// the machine does, for each compiler with its flags.
pub fn models(run: &Run, rows: &[Row], models: &[Model], ghz: f64) -> (Vec<ModelRow>, Vec<Rank>) {
    let mut all: Vec<(ModelRow, String)> = Vec::new();
    for (c, _) in rows.iter().filter(|(c, _)| c.side == Side::Own) {
        let Some(entry) = run.entries.iter().find(|e| Some(&e.id) == c.entry.as_ref()) else { continue };
        let own = entry.model.as_deref().and_then(|m| Model::load(m).ok());
        let mut used: Vec<&Model> = own.iter().collect();
        used.extend(models.iter().filter(|m| own.as_ref().is_none_or(|o| o.name != m.name)));
        for model in used {
            // An operation that a model does not know leaves it without a say, as in a search.
            let Ok(cost) = cycles(&entry.program, model) else { continue };
            let row = ModelRow {
                own: c.name.clone(),
                model: model.name.clone(),
                cycles: cost.throughput,
                latency: cost.latency,
                measured: c.timing.throughput.median * ghz,
                measured_latency: c.timing.latency.map(|l| l.median * ghz),
            };
            let compiled = c.name.strip_prefix(&entry.id).unwrap_or(&c.name).trim().to_owned();
            all.push((row, compiled));
        }
    }
    let ranks = ranks(&all);
    (all.into_iter().map(|(row, _)| row).collect(), ranks)
}

fn ranks(rows: &[(ModelRow, String)]) -> Vec<Rank> {
    let mut ranks: Vec<Rank> = Vec::new();
    for (i, (a, by)) in rows.iter().enumerate() {
        for (b, _) in rows[..i].iter().filter(|(b, other)| b.model == a.model && other == by) {
            let apart = |x: f64, y: f64| (x - y).abs() > DISTINCT * x.max(y);
            if !apart(a.cycles, b.cycles) || !apart(a.measured, b.measured) {
                continue;
            }
            let agree = u32::from((a.cycles < b.cycles) == (a.measured < b.measured));
            match ranks.iter_mut().find(|r| r.model == a.model && r.compiler == *by) {
                Some(rank) => {
                    rank.pairs += 1;
                    rank.agree += agree;
                }
                None => ranks.push(Rank { model: a.model.clone(), compiler: by.clone(), pairs: 1, agree }),
            }
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Error;

    fn row(name: &str, side: Side, ns: f64, ulp: f64, vector: bool) -> Row {
        let times = Times { throughput: vec![ns; 3], latency: vec![ns * 10.0; 3], finite: true };
        let error = Error {
            coverage: "exhaustive".into(),
            inputs: 1,
            max_ulp: Some(ulp),
            at: String::new(),
            wrong_class: false,
        };
        let contestant = Contestant {
            name: name.into(),
            side,
            entry: None,
            compiler: None,
            command: String::new(),
            lanes: 1,
            vector,
            timing: timing(&times, 0.0).unwrap(),
            error: Some(error),
            notes: Vec::new(),
        };
        (contestant, times)
    }

    #[test]
    fn the_fastest_peer_of_at_most_an_error() {
        let rows = [
            row("own", Side::Own, 1.0, 0.9, false),
            row("exact", Side::Peer, 8.0, 0.5, false),
            row("vector", Side::Peer, 2.0, 1.05, true),
            row("rough", Side::Peer, 0.5, 3.0, true),
        ];
        let all = comparisons(&rows, &[1.1], &["exact".into()]);
        let found = |choice: Choice| {
            let c = all.iter().find(|c| c.choice == choice).unwrap();
            (c.peer.as_deref().unwrap(), c.speedup.unwrap().median)
        };
        assert_eq!(found(Choice::AtMost { max_ulp: 0.9, own: true }), ("exact", 8.0));
        assert_eq!(found(Choice::AtMost { max_ulp: 1.1, own: false }), ("vector", 2.0));
        assert_eq!(found(Choice::VectorAtMost { max_ulp: 1.1 }), ("vector", 2.0));
        assert_eq!(found(Choice::Fastest), ("rough", 0.5));
        assert_eq!(found(Choice::Named), ("exact", 8.0));
    }

    #[test]
    fn models_are_held_against_the_machine_pair_by_pair() {
        let row = |own: &str, cycles, measured| {
            let model = "m".to_owned();
            let row = ModelRow { own: own.into(), model, cycles, latency: 1.0, measured, measured_latency: None };
            (row, "gcc".to_owned())
        };
        // The third is as dear as the second in the model, so that pair says nothing.
        let all = [row("a", 1.0, 1.0), row("b", 2.0, 3.0), row("c", 2.001, 0.5)];
        assert_eq!(ranks(&all), [Rank { model: "m".into(), compiler: "gcc".into(), pairs: 2, agree: 1 }]);
    }
}
