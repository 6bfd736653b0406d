//! Code lengths: the best ones of at most 16 bits, by package-merge.

use super::super::code::MAXIMUM_LENGTH;

/// Gives each symbol that occurs a length; needs two of them at least.
///
/// A code is a selection of coins: a symbol of length n has a coin each of the denominations 1/2, 1/4, …
/// 1/2^n, each worth the symbol's count. The cheapest coins that sum up to one less than the number of
/// symbols are found from the smallest denomination up: in each, the coins and the pairs of the one
/// below are sorted together. (Larmore and Hirschberg, 1990.)
pub(super) fn limited(counts: &[u32]) -> Vec<u8> {
    let mut coins: Vec<(u32, usize)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    coins.sort_unstable();
    // By denomination: which of the sorted ones are coins, the rest being pairs.
    let mut denominations: Vec<Vec<bool>> = Vec::new();
    let mut values: Vec<u32> = Vec::new();
    for _ in 0..MAXIMUM_LENGTH {
        let pairs: Vec<u32> = values.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
        let (mut coin, mut pair) = (coins.iter().peekable(), pairs.iter().peekable());
        values.clear();
        let mut are_coins = Vec::with_capacity(coins.len() + pairs.len());
        loop {
            let is_coin = match (coin.peek(), pair.peek()) {
                (Some((value, _)), Some(other)) => value <= other,
                (coin, None) if coin.is_none() => break,
                (coin, _) => coin.is_some(),
            };
            let value = if is_coin { coin.next().map(|(value, _)| *value) } else { pair.next().copied() };
            values.extend(value);
            are_coins.push(is_coin);
        }
        denominations.push(are_coins);
    }
    let mut lengths = vec![0; counts.len()];
    let mut take = 2 * coins.len().saturating_sub(1);
    for are_coins in denominations.iter().rev() {
        let taken = are_coins[..take.min(are_coins.len())].iter().filter(|is_coin| **is_coin).count();
        for (_, symbol) in &coins[..taken] {
            lengths[*symbol] += 1;
        }
        take = 2 * (take - taken);
    }
    lengths
}

/// The canonical codes of these lengths.
pub(super) fn codes(lengths: &[u8]) -> Vec<u16> {
    let mut next = [0u32; MAXIMUM_LENGTH as usize + 2];
    for length in 1..=MAXIMUM_LENGTH as usize {
        let count = lengths.iter().filter(|l| usize::from(**l) == length).count() as u32;
        next[length + 1] = (next[length] + count) << 1;
    }
    lengths
        .iter()
        .map(|length| {
            let code = &mut next[usize::from(*length)];
            *code += 1;
            (*code - 1) as u16
        })
        .collect()
}
