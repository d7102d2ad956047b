// Package notify tells people and systems outside of menshen that something happened: web hooks, an SMS
// gateway, mail. It carries and decides nothing: who hears of what is the operator's config, and what is so stands
// on the pages and in the log. A notice holds ids and codes; the one personal value that ever leaves is a
// merchant's number, to the SMS gateway of the acquirer whose merchant he is.
//
// Delivery is at least once: a notice has an id, the same at every try, by which a receiver drops what it has.
package notify
