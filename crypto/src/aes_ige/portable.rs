//! IGE over the `aes` crate, block by block: for processors without a faster backend, and as what those are compared
//! with.

use aes::{
    Aes256Dec, Aes256Enc,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};

use super::{Block, Direction};

/// One stream.
pub(super) fn one(direction: Direction, blocks: &mut [Block], key: &[u8; 32], iv: &[u8; 32]) {
    let feedbacks = direction.feedbacks(iv);
    match direction {
        Direction::Encrypt => {
            let cipher = Aes256Enc::new(key.into());
            run(blocks, feedbacks, |block| cipher.encrypt_block(block.into()));
        }
        Direction::Decrypt => {
            let cipher = Aes256Dec::new(key.into());
            run(blocks, feedbacks, |block| cipher.decrypt_block(block.into()));
        }
    }
}

/// The mode; the same for both directions but for which half of the IV is which feedback.
fn run(blocks: &mut [Block], (mut before, mut after): (Block, Block), cipher: impl Fn(&mut Block)) {
    for block in blocks {
        let input = *block;
        xor(block, &before);
        cipher(block);
        xor(block, &after);
        (before, after) = (*block, input);
    }
}

fn xor(block: &mut Block, other: &Block) {
    block.iter_mut().zip(other).for_each(|(a, b)| *a ^= b);
}
