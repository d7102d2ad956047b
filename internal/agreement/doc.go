// Package agreement is the deal between a shop and its acquirer (design §9) and the proof that the
// terminal and the money keep to it (design §8).
//
// One price sheet, signed as it stands by merchant and approver; the traps found in it, which the
// merchant must tick one by one; the host's acceptance report over the fixed script; and the
// comparison of what the host took with what the sheet allows.
//
// The answers of Verify and VerifyAcceptance are made nowhere else, and their zero values refuse.
//
// Still unproven here: that the signing keys are enrolled for the roles in the headers (whoever
// resolves the key compares them), that these are the latest agreements of the order (the caller
// selects), and what stands in the terms' full text, of which the sheet holds only the digest: what
// binds the shop must be repeated as a clause, and only clauses, lines and scope are scanned.
package agreement
