# Makes every generator of this process differ from what it was at the checkpoint.

# A rewound process would repeat its random numbers. SecureRandom and Random.urandom ask the kernel each time; the state of
# Kernel#rand lies in memory, that of each Random that a library keeps too, and so does OpenSSL's, which TLS and
# OpenSSL::Random use: all get fresh kernel entropy.

require "openssl"
require "rbconfig"

module RewhiskProxy
  module Randomness
    OPENSSL_BYTES = 48
    BYTES = Random.method(:urandom)
    SEED = Random.method(:srand)
    ADD = OpenSSL::Random.method(:random_add)
    NEW_SEED = Random.method(:new_seed)
    INITIALIZE = Random.instance_method(:initialize)

    FEATURES = $LOADED_FEATURES
    OBJECTS = ObjectSpace.method(:each_object)
    CHOSEN = Random.method(:seed)
    # Of the extensions that come with Ruby itself.
    LIBRARY = "#{RbConfig::CONFIG['rubyarchdir']}/"

    # Tells of what is drawn from the kernel's numbers or OpenSSL's.
    DRAWS = Module.new do
      %i[urandom random_bytes pseudo_bytes].each do |name|
        define_method(name) do |*words|
          Randomness.drawn
          super(*words)
        end
      end
    end
    Random.singleton_class.prepend(DRAWS)
    OpenSSL::Random.singleton_class.prepend(DRAWS)

    @kept = []
    @drawn = false

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

    def drawn
      @drawn = true
    end

    # An action's own checkpoint is taken after its init, and what comes back with it would repeat itself in every activation: pools
    # of random bytes, a Random of its own, whatever an extension keeps. A seed that the action has chosen must stay. So an init
    # that comes near any of these is told of, and its action has no such checkpoint. To be called after the renewal.
    def watch
      @drawn = false
      @seed = CHOSEN.call
      @features = FEATURES.dup
    end

    # True where nothing was drawn.
    def watched?
      !@drawn && CHOSEN.call == @seed && OBJECTS.call(Random).all? { |one| @kept.include?(one) } &&
        (FEATURES - @features).none? { |path| path.end_with?(".so") && (!path.start_with?(LIBRARY) || path.end_with?("/fiddle.so")) }
    end
  end
end
