// Package door is what both phones at a shop's door compute from what they show each other: the text
// of a challenge, its MAC under the order's secret, the digits that people compare or speak, and the
// grade of a check that was made without signal. docs/door.md says the same byte for byte; the page's
// door.mjs computes it in the browser, and both are held to docs/examples/door.
//
// Nothing here makes anybody admitted: that takes a presentation that verifies (package credential)
// and the merchant's signature under it (visit.Admission).
package door
