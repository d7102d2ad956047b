package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

var errAnswerUnfiled = fault.New(fault.Conflict, "door_answer_unfiled", "店主手机上的核对还没送到，稍后再试。", "The shop's own statement of this check has not arrived yet; try again later.")

// openAnswer takes the position behind an answer that was given without signal: the merchant's phone was
// shown the commitment alone. It waits for the merchant's statement, so that nothing enters the vault that
// no signed byte commits to. Faults: door_not_assigned, door_answer_unfiled, opening_stray.
func (a *App) openAnswer(ctx context.Context, actor Actor, c door.Challenge, in DoorAnswer) (DoorAnswered, error) {
	s, err := a.assignedTo(ctx, actor, c.Visit)
	if err != nil {
		return DoorAnswered{}, err
	}
	digest := statement.Digest([]byte(in.Presentation))
	dossier, err := a.settled(ctx, c.Visit, false)
	if err != nil {
		return DoorAnswered{}, err
	}
	if !admits(dossier, digest) {
		return DoorAnswered{}, errAnswerUnfiled
	}
	if in.Opening == nil || !commitsTo(in.Presentation, *in.Opening) {
		return DoorAnswered{}, errDoorOpening
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := a.Vault.Put(ctx, tx, s.state.Dispatched().Technician, *in.Opening, vault.Tag{Purposes: []string{purposePlace}}, a.Now())
		return err
	})
	return DoorAnswered{Visit: c.Visit, Genuine: err == nil, Digits: door.TwoDigits(c.Nonce, digest)}, err
}

// admits finds the merchant's statement of an answer; intake proved its signature before it was recorded.
func admits(d evidence.Dossier, answer string) bool {
	for _, e := range d.Entries {
		raw, err := statement.Base64(e.Statement)
		if err != nil {
			continue
		}
		claims, err := statement.Parse(raw)
		if err != nil || claims.Type != visit.TypeAdmission {
			continue
		}
		var body visit.Admission
		if claims.UntrustedBody(&body) == nil && body.Answer == answer {
			return true
		}
	}
	return false
}

// commitsTo says whether a presentation's key binding names an opening's commitment.
func commitsTo(presentation string, o statement.Opening) bool {
	commitment, err := o.Commitment()
	if err != nil || o.Kind != evidence.KindPosition {
		return false
	}
	raw, errC := hex.DecodeString(commitment)
	parts := strings.Split(presentation[strings.LastIndexByte(presentation, '~')+1:], ".")
	if errC != nil || len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && bytes.Contains(claims, []byte(`"`+base64.RawURLEncoding.EncodeToString(raw)+`"`))
}
