//! Connections that are closed in good order only as long as that is quick. Whoever reads nothing would hold them, and a
//! place among all, for as long as it likes.

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

const CLOSE_MAX: Duration = Duration::from_secs(1);

pub(crate) struct ClosingSoon<M> {
    muxer: M,
    patience: Option<Pin<Box<Sleep>>>,
}

impl<M> ClosingSoon<M> {
    pub fn new(muxer: M) -> Self {
        Self { muxer, patience: None }
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for ClosingSoon<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<M::Substream, M::Error>> {
        Pin::new(&mut self.muxer).poll_inbound(context)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<M::Substream, M::Error>> {
        Pin::new(&mut self.muxer).poll_outbound(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), M::Error>> {
        let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_MAX)));
        if patience.as_mut().poll(context).is_ready() {
            // Dropped now, it ends.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.muxer).poll_close(context)
    }

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, M::Error>> {
        Pin::new(&mut self.muxer).poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::poll_fn;
    use libp2p::core::upgrade::OutboundConnectionUpgrade;
    use libp2p::tcp::tokio::TcpStream;
    use libp2p::yamux;
    use tokio::net;
    use tokio::time::timeout;

    #[test]
    fn who_reads_nothing_does_not_hold_its_connection() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let full = net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let _reads_nothing = listener.accept().await.unwrap();
            while timeout(Duration::from_millis(300), full.writable()).await.is_ok() {
                full.try_write(&[0; 65_536]).unwrap_or_default();
            }
            let muxer = yamux::Config::default().upgrade_outbound(TcpStream(full), "/yamux/1.0.0").await.unwrap();
            let mut muxer = ClosingSoon::new(muxer);
            let closed = timeout(CLOSE_MAX * 10, poll_fn(|context| Pin::new(&mut muxer).poll_close(context))).await;
            assert!(closed.is_ok_and(|closed| closed.is_ok()));
        });
    }
}
