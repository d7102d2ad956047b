//go:build !attacks

package pages

// tamperStep: one in 37 of the changes at each place; with the tag attacks, every one.
const tamperStep = 37
