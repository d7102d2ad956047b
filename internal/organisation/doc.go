// Package organisation is the service that an acquirer, a provider or a supervisors' organisation runs
// itself, with a folder of its own (design §6). It holds the organisation's key, and a provider's badge
// key, and is the only one that signs with them: enrolments, badges, status lists, and what ends them.
//
// Two sides talk to it, with a token each. Menshen brings what phones ask for and takes away what was
// signed; with its token nothing can be enrolled that no phone proved a code for, no badge made that
// no technician signed for. The desk is the organisation's own: it keeps the roll, makes one-time codes,
// and ends keys and badges. A code is shown there once and kept nowhere.
//
// Every change is in a journal before it is answered, with the statements signed for it, so a process
// that dies in between answers the same request in the same way. Statements are numbered; menshen takes
// them by number, also those that it never asked for. The folder holds no personal value: people are
// opaque ids, names and photos are commitments.
package organisation
