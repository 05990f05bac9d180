//! The nearest known name to a misspelt one.

/// Names longer than this are not misspellings of anything.
const LONGEST: usize = 40;

/// Edit distance that counts insertion, deletion, replacement and exchange of neighbours as one each.
///
/// This is the restricted form of Damerau and Levenshtein's distance (optimal string alignment): no substring is edited
/// twice. Time and space are the product and the sum of the lengths.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

/// The known name nearest to `name`, where one is near enough to be meant: at most a third of the letters edited
/// (one edit is always near enough for names of two letters and more). Case and the difference between `_` and `-`
/// count as no edit. Among equally near names one with the same letters wins, then the first.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |s: &str| s.to_ascii_lowercase().replace('_', "-");
    let letters = |s: &str| {
        let mut letters: Vec<char> = s.chars().collect();
        letters.sort_unstable();
        letters
    };
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let folded = fold(name);
    let allowed = if length < 2 { 0 } else { (length / 3).max(1) };
    let mut best: Option<((usize, bool), &str)> = None;
    for candidate in known {
        let distance = edit_distance(&folded, &fold(candidate));
        let rank = (distance, letters(&folded) != letters(&fold(candidate)));
        if distance <= allowed && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        assert_eq!(edit_distance("", ""), 0);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("tahn", "tanh"), 1);
        assert_eq!(edit_distance("sine", "sin"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("ca", "abc"), 3, "restricted: the exchanged pair is not edited again");
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["sin", "sinh", "tan", "tanh", "max-ulp", "exp2"];
        assert_eq!(nearest("tahn", known), Some("tanh"));
        assert_eq!(nearest("sine", known), Some("sin"));
        assert_eq!(nearest("max_ulp", known), Some("max-ulp"));
        assert_eq!(nearest("Exp2", known), Some("exp2"));
        assert_eq!(nearest("frobnicate", known), None);
        assert_eq!(nearest("q", known), None);
        assert_eq!(nearest(&"s".repeat(100_000), known), None);
    }
}
