//! Drafts: what was typed in a chat and not sent, kept in step between the owner's devices.

use storage::{Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{
        EffectDraft,
        mailbox::{ChatDraft, Drafts},
    },
};
use tl::records::types::Draft;

use super::content;
use crate::limits::DRAFT_BATCH;
use crate::tables::DRAFTS;
use crate::{Done, Result, Txn, UnixTime};

/// `mailbox.saveDraft`
pub fn save_draft(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::SaveDraft<'_>,
) -> Result<Done> {
    if op.peer <= 0 {
        return Err(Refusal::PeerIdInvalid.into());
    }
    content::check_text(op.text, op.entities.as_deref())?;
    if op.text.is_empty() && op.reply_to.is_none() {
        if clear(txn, op.peer)? {
            txn.tell(EffectDraft { peer: op.peer, draft: None });
        }
        return Ok(Done {});
    }
    let draft = Draft {
        no_webpage: op.no_webpage,
        invert_media: op.invert_media,
        date: now.0,
        reply_to: op.reply_to,
        entities: op.entities,
        text: op.text.to_owned(),
    };
    txn.put(DRAFTS, &op.peer, &draft);
    txn.tell(EffectDraft { peer: op.peer, draft: Some(draft) });
    Ok(Done {})
}

/// `mailbox.clearDrafts`
pub fn clear_drafts(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    _op: functions::ClearDrafts,
) -> Result<Drafts> {
    let cleared = all(txn.rows())?;
    for draft in &cleared.drafts {
        txn.delete(DRAFTS, &draft.peer);
        txn.tell(EffectDraft { peer: draft.peer, draft: None });
    }
    Ok(cleared)
}

/// `mailbox.getDrafts`
pub fn get_drafts(rows: &impl Read, _now: UnixTime, _op: functions::GetDrafts) -> Result<Drafts> {
    all(rows)
}

/// Removes a draft. Whether there was one, which the sessions must then be told.
pub(super) fn clear(txn: &mut Txn<'_, '_>, peer: i64) -> Result<bool> {
    let there = txn.contains(DRAFTS, &peer)?;
    if there {
        txn.delete(DRAFTS, &peer);
    }
    Ok(there)
}

fn all(rows: &impl Read) -> Result<Drafts> {
    let drafts = rows.scan(DRAFTS, .., Order::Forward, DRAFT_BATCH)?;
    Ok(Drafts {
        drafts: drafts.into_iter().map(|(peer, draft)| ChatDraft { peer, draft }).collect(),
    })
}
