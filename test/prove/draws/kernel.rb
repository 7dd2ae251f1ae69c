# One value of each generator that asks the kernel, or is seeded by it at its first use, which is the action's.
require 'securerandom'

def draw
  {
    'urandom' => Random.urandom(16).unpack1('H*'),
    'a new seed' => Random.new_seed,
    'a new Random' => Random.new.rand,
    'SecureRandom' => SecureRandom.hex(16),
    'uuid' => SecureRandom.uuid,
    'random_number' => SecureRandom.random_number,
    'alphanumeric' => SecureRandom.alphanumeric(20),
    'shuffle by SecureRandom' => (1..60).to_a.shuffle(random: SecureRandom).join(' '),
    'arc4random' => act('arc4random')
  }
end
