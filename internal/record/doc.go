// Package record is the shape of what menshen writes down: events in streams, the leaves that the
// public log holds of them, and the receipts that prove a leaf is in a log which enough witnesses
// saw. Pure: it verifies; package transparency operates.
package record
