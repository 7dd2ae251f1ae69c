# One value of each generator whose state lies in the process's memory and is renewed.
require 'openssl'
require 'socket'
require 'tmpdir'

# The random bytes with which a TLS connection begins.
def client_hello
  here, there = Socket.pair(:UNIX, :STREAM)
  session = OpenSSL::SSL::SSLSocket.new(here)
  session.hostname = 'host'
  session.connect_nonblock(exception: false)
  there.readpartial(1000).byteslice(11, 32).unpack1('H*')
end

def draw
  {
    'every Random' => ObjectSpace.each_object(Random).map(&:rand),
    'rand' => rand,
    'Random.rand' => Random.rand,
    'Random.bytes' => Random.bytes(16).unpack1('H*'),
    'random_number' => Random.random_number,
    'seed' => Random.seed,
    'shuffle' => (1..60).to_a.shuffle.join(' '),
    'sample' => Array.new(8) { (0..255).to_a.sample }.join(' '),
    'in a thread' => Thread.new { rand }.value,
    'in a ractor' => Ractor.new { rand }.take,
    'OpenSSL' => OpenSSL::Random.random_bytes(16).unpack1('H*'),
    'OpenSSL in a thread' => Thread.new { OpenSSL::Random.random_bytes(16).unpack1('H*') }.value,
    'cipher key' => OpenSSL::Cipher.new('aes-256-cbc').encrypt.random_key.unpack1('H*'),
    'elliptic key' => OpenSSL::PKey::EC.generate('prime256v1').private_key.to_s,
    'TLS' => client_hello,
    'temporary name' => Dir::Tmpname.create('name') {},
    'temporary folder' => Dir.mktmpdir
  }
end
