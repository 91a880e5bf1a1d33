// Ranks as {letter: number | null}; equal numbers tie. Pure: does not touch the page.

/** "A › B = C › D"; "" when nothing is ranked. */
export function line(ranks) {
  return groups(ranks).map((group) => group.join(" = ")).join(" › ");
}

/**
 * Moves `letter` one step towards the top (-1) or the bottom (1): first out of a tie, then into the
 * neighbouring rank.
 */
export function move(ranks, letter, direction) {
  const order = groups(ranks);
  const place = order.findIndex((group) => group.includes(letter));
  if (place < 0) return numbered([...order, [letter]], ranks);
  const isTied = order[place].length > 1;
  if (isTied) {
    order[place] = order[place].filter((other) => other !== letter);
    order.splice(direction < 0 ? place : place + 1, 0, [letter]);
  } else if (order[place + direction]) {
    order[place + direction] = [...order[place + direction], letter].sort();
    order.splice(place, 1);
  }
  return numbered(order, ranks);
}

/**
 * Puts `letter` before or after the rank of `target`, or level with it. A target without a rank
 * counts as last.
 */
export function place(ranks, letter, target, where) {
  const order = groups({ ...ranks, [letter]: null }).filter((group) => group.length);
  let at = order.findIndex((group) => group.includes(target));
  if (at < 0) at = order.push([target]) - 1;
  if (where === "level") order[at] = [...order[at], letter].sort();
  else order.splice(where === "before" ? at : at + 1, 0, [letter]);
  return numbered(order, ranks);
}

/** A best-ranked letter, `preferred` if it is one; null if nothing is ranked. */
export function best(ranks, preferred) {
  const first = groups(ranks)[0];
  if (!first) return null;
  return first.includes(preferred) ? preferred : first[0];
}

/** The first letter without a rank, searching from `after` to the end and then from the start. */
export function nextUnranked(ranks, after) {
  const letters = Object.keys(ranks);
  const start = letters.indexOf(after) + 1;
  return [...letters.slice(start), ...letters.slice(0, start)].find((letter) => ranks[letter] === null);
}

function groups(ranks) {
  const byRank = new Map();
  for (const [letter, rank] of Object.entries(ranks)) {
    if (rank !== null) byRank.set(rank, [...(byRank.get(rank) ?? []), letter]);
  }
  return [...byRank.keys()].sort((a, b) => a - b).map((rank) => byRank.get(rank));
}

// Competition ranking: 1, 2, 2, 4.
function numbered(order, ranks) {
  const next = Object.fromEntries(Object.keys(ranks).map((letter) => [letter, null]));
  let rank = 1;
  for (const group of order) {
    for (const letter of group) next[letter] = rank;
    rank += group.length;
  }
  return next;
}
