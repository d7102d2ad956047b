// Package httpapi is menshen's JSON API: it proves who asks, hands what was asked to package app, and
// writes down what app answered. It decides nothing.
//
// Every verb that people and organisations file a statement under is one operation, made from the
// verb table; what menshen does itself (challenge, attest_device, asks, release_permit) has operations
// of its own. The whole is described at /openapi.json.
//
// Errors are RFC 9457 problems with a fault's code, place and sentence in Chinese and English. No
// answer, log line or URL holds a personal value, and no rejected value is ever repeated.
package httpapi
