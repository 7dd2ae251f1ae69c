# Makes every generator of this process differ from what it was at the checkpoint.

# A rewound process would repeat its random numbers. SecureRandom and Random.urandom ask the kernel each time; the state of
# Kernel#rand lies in memory, that of each Random that a library keeps too, and so does OpenSSL's, which TLS and
# OpenSSL::Random use: all get fresh kernel entropy.

require "openssl"
require_relative "draws"

module RewhiskProxy
  module Randomness
    OPENSSL_BYTES = 48
    BYTES = Random.method(:urandom)
    SEED = Random.method(:srand)
    ADD = OpenSSL::Random.method(:random_add)
    NEW_SEED = Random.method(:new_seed)
    INITIALIZE = Random.instance_method(:initialize)

    @kept = []

    module_function

    # To be called after the last library was loaded: takes hold of the generators that they keep.
    def keep
      @kept = ObjectSpace.each_object(Random).to_a
    end

    # To be called at each init, before any user code.
    def renew
      SEED.call
      @kept.each { |generator| INITIALIZE.bind_call(generator, NEW_SEED.call) }
      ADD.call(BYTES.call(OPENSSL_BYTES), OPENSSL_BYTES)
    end

    # Begins an init that is to be come back to. To be called after the renewal.
    def watch = Draws.watch

    # Ends it, and says whether it has drawn nothing.
    def watched? = Draws.quiet?
  end
end
