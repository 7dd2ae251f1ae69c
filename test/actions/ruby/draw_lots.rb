# Draws lots: once from a given seed (always the same), once by chance (never the same).
require 'openssl'
require 'securerandom'
require 'tempfile'

def main(args)
  people = args['people']
  file = Tempfile.create('lots') { |one| File.basename(one.path) }
  {
    fair: people.shuffle(random: Random.new(args.fetch('seed', 1))),
    lots: Array.new(3) { rand }, order: Array.new(20) { rand(100) }.shuffle, token: SecureRandom.hex(16), id: SecureRandom.uuid,
    key: OpenSSL::Random.random_bytes(16).unpack1('H*'), file: file
  }
end
