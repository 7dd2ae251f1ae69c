# Seals a text with a password, opens it again, and signs it with a new key.
require 'base64'
require 'digest'
require 'openssl'

def main(args)
  salt = OpenSSL::Random.random_bytes(16)
  key = OpenSSL::PKCS5.pbkdf2_hmac(args['password'], salt, 1000, 32, 'sha256')
  cipher = OpenSSL::Cipher.new('aes-256-gcm').encrypt
  cipher.key = key
  nonce = cipher.random_iv
  sealed = cipher.update(args['text']) + cipher.final
  opener = OpenSSL::Cipher.new('aes-256-gcm').decrypt
  opener.key, opener.iv, opener.auth_tag = key, nonce, cipher.auth_tag
  opened = (opener.update(sealed) + opener.final).force_encoding('UTF-8')
  pair = OpenSSL::PKey::EC.generate('prime256v1')
  signature = pair.sign('SHA256', sealed)
  {
    opened: opened, valid: pair.verify('SHA256', signature, sealed), digest: Digest::SHA512.hexdigest(args['text'])[0, 32],
    sealed: Base64.strict_encode64(sealed), mac: OpenSSL::HMAC.hexdigest('SHA1', args['password'], args['text'])
  }
end
