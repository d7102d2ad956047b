// Package acquirer calls an acquirer's host on menshen's behalf: it carries bundles there and brings
// signed answers back. It decides nothing: it neither verifies the host's signature (package evidence
// does, before the answer is recorded) nor guesses what a host did that gave no answer.
//
// Every failure is of one of two sorts, and Unknown tells them apart. Either the host said no before
// it acted, or nobody asked it at all; or the outcome is unknown, and whoever called must ask again
// with the same permit, or cancel it, and take the host's signed word for what happened.
package acquirer
