//! One attempt to write one batch: create the Event, or raise or set its count, whatever others do
//! to it meanwhile.

use super::{
    api::{Answer, EventsApi},
    failure::Failure,
    queue::Batch,
    wire::{Account, Reporter, Stored, created, raised},
};

/// How often an attempt starts over because others wrote the Event in between.
const ROUNDS: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Created,
    Updated,
}

/// Writes `batch`, starting from what is known of the Event and leaving in `account` what is known
/// then, also where it fails.
///
/// A count is neither lost nor counted twice: a raise is bound to the resourceVersion that it was
/// reckoned from, and a create to there being no such Event. A count that the batch sets is set
/// again, at whatever version.
pub(super) async fn upsert(
    api: &EventsApi,
    reporter: &Reporter,
    batch: &Batch,
    account: &mut Option<Account>,
) -> Result<Written, Failure> {
    let key = &batch.telling.key;
    for _ in 0..ROUNDS {
        let raise = account.as_ref().and_then(|account| raised(reporter, batch, account));
        let (written, answer) = match raise {
            Some(patch) => (Written::Updated, api.patch(key, &patch).await?),
            None => {
                let past = account.as_ref().map(|account| &account.past);
                (Written::Created, api.create(&created(reporter, batch, past)).await?)
            }
        };
        let answer = match answer {
            Answer::Done(event) => {
                *account = Some(Stored::of(event).account);
                return Ok(written);
            }
            Answer::Conflict => api.get(key).await?,
            Answer::NotFound => Answer::NotFound,
        };
        if let Answer::Done(event) = answer {
            let stored = Stored::of(event);
            if stored.holds(batch, reporter) {
                *account = Some(stored.account);
                return Ok(Written::Updated);
            }
            *account = Some(stored.account.after(account.take()));
        } else if let Some(account) = account {
            account.version = None;
        }
    }
    Err(Failure::Contended(ROUNDS))
}
